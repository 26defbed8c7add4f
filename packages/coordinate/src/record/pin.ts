import type { Lock } from '@howdah/lock'
import { notRunning } from '../errors.ts'
import { type Place, checkPlace } from '../place.ts'
import type { ServerRecord } from './server-record.ts'
import { names, readRecord, writeRecord } from './record.ts'
import type { Outcome, Subject } from '../subject.ts'
import { type WaitOptions, Waiting } from '../joining/waiting.ts'
import { type WatchdogKind, ensureWatchdog } from '../watchdog/watchdog.ts'

/** Who owns the running server. Nobody stops a `pinned` or a `foreign` one by leaving. */
export type Ownership = 'none' | 'ours' | 'pinned' | 'foreign'

/** Who owns the server just now. It takes no lock, so the answer may be out of date at once. */
export async function ownership(place: Place, subject: Subject<never>): Promise<Ownership> {
  const running = await subject.process()
  if (running === null) return 'none'
  const record = readRecord(place)
  if (!names(record, running)) return 'foreign'
  return record.pinned ? 'pinned' : 'ours'
}

/**
 * Keeps the server that runs now, until it is unpinned or ends: nobody stops it by leaving.
 *
 * One that somebody else started is kept anyway: `unmodified`.
 *
 * Rejects with `ERR_COORDINATE_NOT_RUNNING`.
 */
export async function pin(
  place: Place,
  subject: Subject<never>,
  options: WaitOptions = {},
): Promise<Outcome> {
  return underChange(place, options, async (change) => {
    const record = await ours(place, subject)
    if (record === null || record.pinned) return 'unmodified'
    writeRecord(place, change, { ...record, pinned: true })
    return 'modified'
  })
}

/** How to unpin. */
export interface UnpinOptions extends WaitOptions {
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Lets the last one to leave stop the server again; if nobody uses it, that is at once, by a watchdog.
 *
 * One that somebody else started is never stopped by leaving: `unmodified`.
 */
export async function unpin(
  place: Place,
  subject: Subject<never>,
  options: UnpinOptions = {},
): Promise<Outcome> {
  return underChange(place, options, async (change, waiting) => {
    if ((await subject.process()) === null) return 'unmodified'
    const record = await ours(place, subject)
    if (record === null || !record.pinned) return 'unmodified'
    const use = await waiting.lock({ for: 'use', path: place.use, mode: 'shared', create: false })
    try {
      writeRecord(place, change, { ...record, pinned: false })
      await ensureWatchdog({ subject, place }, { kind: options.watchdog })
      return 'modified'
    } finally {
      use.release()
    }
  })
}

async function underChange(
  place: Place,
  options: WaitOptions,
  action: (change: Lock, waiting: Waiting) => Promise<Outcome>,
): Promise<Outcome> {
  checkPlace(place)
  const waiting = new Waiting(options)
  const change = await waiting.lock({
    for: 'change',
    path: place.change,
    mode: 'exclusive',
    create: false,
  })
  try {
    return await action(change, waiting)
  } finally {
    change.release()
  }
}

/** The record, if it names the process that runs; `null` for somebody else's. */
async function ours(place: Place, subject: Subject<never>): Promise<ServerRecord | null> {
  const running = await subject.process()
  if (running === null) throw notRunning(place.use)
  const record = readRecord(place)
  return names(record, running) ? record : null
}
