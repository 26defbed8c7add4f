import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { isThrowAway } from '../paths.ts'
import { names, readRecord, removeRecord } from '../record/record.ts'
import { isUnseen } from '../launch/server-lock.ts'
import { isRecordedAlive, stopRecorded } from '../ending/stop-recorded.ts'
import { type WaitOptions, Waiting } from './waiting.ts'
import { type WatchdogKind, ensureWatchdog } from '../watchdog/watchdog.ts'

/**
 * What leaving did. `stopped` or `destroyed`: we were the last user. `in-use`: others use it. `kept`: nobody uses it, but it
 * is pinned, lingers, was not started by us, or was replaced.
 */
export type LeaveOutcome = 'stopped' | 'destroyed' | 'in-use' | 'kept'

/** What the last user does. */
export interface LeaveOptions extends WaitOptions {
  /** What the last user does: `'stop'` by default, or `'destroy'` if the subject was made to be thrown away. */
  readonly atEnd?: 'stop' | 'destroy' | undefined
  /** The kind of watchdog to start if a lingering server has none; by default a shell, if that works. */
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Takes change, and then leaves. Use is dropped in any case. If the wait for change is given up, this rejects, and the
 * watchdog does the rest.
 */
export async function leave<Options>(
  coordinated: Coordinated<Options>,
  use: Lock,
  options: LeaveOptions = {},
): Promise<LeaveOutcome> {
  const { paths } = coordinated
  // The lock was released when the subject was removed.
  if (!use.held) return 'kept'
  try {
    const change = await new Waiting(options).lock({
      for: 'change',
      path: paths.change,
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
    // The subject was removed.
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return 'kept'
    throw error
  } finally {
    use.release()
  }
}

/** What the last user does, under change. */
interface End {
  readonly destroys?: boolean | undefined
  /** `false`: stop the server at once, because nobody has used it. */
  readonly lingers?: boolean | undefined
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Leaves under change, which stays held, and drops use. It tries once, without waiting, to make use exclusive. If that
 * succeeds, we were the last user. If it fails, others remain, and our shared lock is gone.
 */
export async function lastOneOut<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  use: Lock,
  end: End,
): Promise<LeaveOutcome> {
  try {
    if (!use.isCurrent()) return 'kept'
    if (!use.upgradeOrRelease()) return 'in-use'
    return await tidy(coordinated, change, end)
  } finally {
    use.release()
  }
}

/** Stops or destroys the subject, under change and use, if we may stop it. */
async function tidy<Options>(
  { subject, paths }: Coordinated<Options>,
  change: Lock,
  { destroys = false, lingers = true, watchdog }: End,
): Promise<LeaveOutcome> {
  // A server in another container is left to its users and its watchdog there.
  if (await isUnseen(paths)) return 'kept'
  const running = await subject.process()
  const record = readRecord(paths)
  if (running !== null) {
    if (!names(record, running) || record.pinned) return 'kept'
    if (lingers && record.linger > 0 && !destroys) {
      await ensureWatchdog({ subject, paths }, { kind: watchdog })
      return 'kept'
    }
  } else if (isRecordedAlive(record)) {
    // The server is ours, but has not started far enough for the subject to see it.
    await stopRecorded(paths, record)
  }
  if (destroys || isThrowAway(paths)) {
    await subject.destroy({ change })
    removeRecord(paths, change)
    return 'destroyed'
  }
  if (running === null) return 'stopped'
  await subject.stop()
  // We keep the record of a killed server: it tells which server left the files.
  removeRecord(paths, change)
  return 'stopped'
}
