import type { Lock } from '@howdah/lock'
import { notRunning } from '../errors.ts'
import { type Paths, checkPaths } from '../paths.ts'
import type { ServerRecord } from './server-record.ts'
import { recordNaming, writeRecord } from './record.ts'
import type { Outcome, Subject } from '../subject.ts'
import { type WaitOptions, Waiting } from '../joining/waiting.ts'
import { type WatchdogKind, ensureWatchdog } from '../watchdog/watchdog.ts'

/** The owner of the running server. Leaving never stops a `pinned` or a `foreign` server. */
export type Ownership = 'none' | 'ours' | 'pinned' | 'foreign'

/** Gives the present owner of the server. It takes no lock, so the answer may be out of date at once. */
export async function ownership(
  paths: Paths,
  subject: Pick<Subject<never>, 'process'>,
): Promise<Ownership> {
  const running = await subject.process()
  if (running === null) return 'none'
  const record = recordNaming(paths, running)
  if (record === null) return 'foreign'
  return record.pinned ? 'pinned' : 'ours'
}

/**
 * Pins the running server: it stays, even without users, until it is unpinned, stopped or ends.
 *
 * A server that somebody else started stays anyway: `unmodified`.
 *
 * Rejects with `ERR_COORDINATE_NOT_RUNNING`.
 */
export async function pin(
  paths: Paths,
  subject: Subject<never>,
  options: WaitOptions = {},
): Promise<Outcome> {
  return underChange(paths, options, async (change) => {
    const record = await ours(paths, subject)
    if (record === null || record.pinned) return 'unmodified'
    writeRecord(paths, change, { ...record, pinned: true })
    return 'modified'
  })
}

/** How to unpin. */
export interface UnpinOptions extends WaitOptions {
  readonly watchdog?: WatchdogKind | undefined
}

/**
 * Lets the last user stop the server again when it leaves. If nobody uses the server, a watchdog stops it at once.
 *
 * A server that somebody else started is never stopped by leaving: `unmodified`.
 */
export async function unpin(
  paths: Paths,
  subject: Subject<never>,
  options: UnpinOptions = {},
): Promise<Outcome> {
  return underChange(paths, options, async (change, waiting) => {
    if ((await subject.process()) === null) return 'unmodified'
    const record = await ours(paths, subject)
    if (record === null || !record.pinned) return 'unmodified'
    const use = await waiting.lock({ for: 'use', path: paths.use, mode: 'shared', create: false })
    try {
      writeRecord(paths, change, { ...record, pinned: false })
      await ensureWatchdog({ subject, paths }, { kind: options.watchdog })
      return 'modified'
    } finally {
      use.release()
    }
  })
}

async function underChange(
  paths: Paths,
  options: WaitOptions,
  action: (change: Lock, waiting: Waiting) => Promise<Outcome>,
): Promise<Outcome> {
  checkPaths(paths)
  const waiting = new Waiting(options)
  const change = await waiting.lock({
    for: 'change',
    path: paths.change,
    mode: 'exclusive',
    create: false,
  })
  try {
    return await action(change, waiting)
  } finally {
    change.release()
  }
}

/** The record, if it names the running server; `null` if somebody else started the server. */
async function ours(paths: Paths, subject: Subject<never>): Promise<ServerRecord | null> {
  const running = await subject.process()
  if (running === null) throw notRunning(paths.use)
  return recordNaming(paths, running)
}
