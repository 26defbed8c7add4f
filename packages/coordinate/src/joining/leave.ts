import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { isThrowAway } from '../place.ts'
import { names, readRecord, removeRecord } from '../record/record.ts'
import { isUnseen } from '../launch/server-lock.ts'
import { isRecordedAlive, stopRecorded } from '../ending/stop-recorded.ts'
import { type WaitOptions, Waiting } from './waiting.ts'
import { type WatchdogKind, ensureWatchdog } from '../watchdog/watchdog.ts'

/**
 * How it was left: `stopped` or `destroyed` by us, the last; `in-use` by others; `kept` though nobody uses it, because
 * it is pinned, lingers, was not started by us, or is no longer what was joined.
 */
export type Left = 'stopped' | 'destroyed' | 'in-use' | 'kept'

/** What the last one out does. */
export interface LeaveOptions extends WaitOptions {
  /** `'stop'` unless told otherwise, or unless the subject was made to be thrown away. */
  readonly atEnd?: 'stop' | 'destroy' | undefined
  /** The kind of watchdog to start if a lingering server has none: a shell if that works, unless told otherwise. */
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Takes change, and then leaves. Whatever happens, use is dropped: a wait that is given up rejects, and what we would
 * have done is left to the watchdog.
 */
export async function leave<Options>(
  coordinated: Coordinated<Options>,
  use: Lock,
  options: LeaveOptions = {},
): Promise<Left> {
  const { place } = coordinated
  // It was let go of when the subject was removed.
  if (!use.held) return 'kept'
  try {
    const change = await new Waiting(options).lock({
      for: 'change',
      path: place.change,
      mode: 'exclusive',
      create: false,
    })
    try {
      return await lastOneOut(coordinated, change, use, {
        destroys: options.atEnd === 'destroy',
        watchdog: options.watchdog,
      })
    } finally {
      use.release()
      change.release()
    }
  } catch (error) {
    // Somebody removed it all.
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return 'kept'
    throw error
  } finally {
    use.release()
  }
}

/** What the last one out does, under change. */
interface End {
  readonly destroys?: boolean | undefined
  /** `false`: stop it at once, because nobody has used it. */
  readonly lingers?: boolean | undefined
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Leaves under change, which stays held, and drops use: converts it once, without waiting. Granted: nobody else is left.
 * Refused: it is never taken back.
 */
export async function lastOneOut<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  use: Lock,
  end: End,
): Promise<Left> {
  try {
    if (!use.isCurrent()) return 'kept'
    if (!use.upgradeOrRelease()) return 'in-use'
    return await tidy(coordinated, change, end)
  } finally {
    use.release()
  }
}

/** Stops or destroys it, under change and use, if it is ours to stop. */
async function tidy<Options>(
  { subject, place }: Coordinated<Options>,
  change: Lock,
  { destroys = false, lingers = true, watchdog }: End,
): Promise<Left> {
  // A server of another container is left to its users and its watchdog there.
  if (await isUnseen(place)) return 'kept'
  const running = await subject.process()
  const record = readRecord(place)
  if (running !== null) {
    if (!names(record, running) || record.pinned) return 'kept'
    if (lingers && record.linger > 0 && !destroys) {
      await ensureWatchdog({ subject, place }, { kind: watchdog })
      return 'kept'
    }
  } else if (isRecordedAlive(record)) {
    // Ours, and not so far that the subject knows it.
    await stopRecorded(place, record)
  }
  if (destroys || isThrowAway(place)) {
    await subject.destroy({ change })
    removeRecord(place, change)
    return 'destroyed'
  }
  if (running === null) return 'stopped'
  await subject.stop()
  // We keep the record of a killed server: it tells which server left the files.
  removeRecord(place, change)
  return 'stopped'
}
