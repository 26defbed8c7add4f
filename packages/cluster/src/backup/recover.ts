import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Free } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from '../data-directory.ts'
import { StartFailedError } from '../errors.ts'
import { LocalState } from '../local-state.ts'
import { writeMark } from '../mark.ts'
import { writeOwnFile } from '../own-file.ts'
import { placeOf } from '../place.ts'
import { findPostmaster } from '../postmaster.ts'
import type { ServerUser } from '../server-user.ts'
import { ClusterSubject } from '../subject.ts'
import { RecoveryFailedError } from './errors.ts'
import type { ProgressReport } from './progress-report.ts'
import { type RecoveryLog, readRecoveryLog } from './recovery-log.ts'
import { restoreCommand, restoreScript, restoreScriptName } from './restore-script.ts'

/** How a copied base backup is brought up to date. */
export interface RecoveryOptions {
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** The role to connect as, so that nobody need look for one. */
  readonly superuser: string
  /** The directory with the WAL, for the server's user to read. */
  readonly wal: string
  /** In bytes. */
  readonly segmentSize: number
  readonly timeline: number
  /** Where to stop; nothing for the end of the WAL. */
  readonly target: Readonly<Record<string, string>>
  /** Settings that the server needs to replay the WAL. */
  readonly settings: Readonly<Record<string, string>>
  readonly progress: ProgressReport
  readonly signal?: AbortSignal | undefined
}

/**
 * Has a server replay WAL on a copied base backup up to a target or the end, and stops it again. A private one: nobody
 * connects to it, it archives nothing, and it ends with us, if we are killed.
 *
 * Throws {@link RecoveryFailedError} with the server's words.
 */
export async function recover(
  directory: DataDirectory,
  options: RecoveryOptions,
): Promise<RecoveryLog> {
  const { runtime, user, superuser, wal, target, signal } = options
  const major = runtime.version.major
  await writeMark(directory, user, { superuser, created: true })
  await writeOwnFile(directory.file(restoreScriptName), restoreScript(wal), user)
  const recovery = {
    restore_command: restoreCommand,
    recovery_target_timeline: String(options.timeline),
    ...target,
  }
  if (major < 12) {
    const lines = Object.entries(recovery).map(([name, value]) => `${name} = ${literal(value)}\n`)
    await writeOwnFile(directory.file('recovery.conf'), lines.join(''), user)
  } else {
    await writeOwnFile(directory.file('recovery.signal'), '', user)
  }
  const subject = new ClusterSubject(
    directory,
    user,
    () => Promise.resolve(runtime),
    // Nobody asks for it: it is gone in a moment.
    new LocalState(() => undefined),
  )
  const free = new Free(subject, placeOf(directory, user, false))
  const settings = { ...options.settings, ...alone, ...(major >= 12 && recovery) }
  try {
    const shared = await free.join({ start: { settings }, ifExists: true, signal })
    try {
      await untilRecovered(directory, options)
    } finally {
      await shared.leave()
    }
  } catch (error) {
    if (!(error instanceof StartFailedError)) throw error
  }
  const log = await readWhole(directory)
  const result = readRecoveryLog(log)
  const hasEnded = /archive recovery complete/.test(log)
  if (!hasEnded) {
    const why = result.failure ?? 'the server ended on the way'
    throw new RecoveryFailedError(directory.path, why, log.trim().split('\n').slice(-8).join('\n'))
  }
  await rm(directory.record, { force: true })
  const left = ['recovery.done', 'backup_label.old', 'tablespace_map.old', 'postmaster.opts']
  for (const name of [restoreScriptName, ...left]) await rm(directory.file(name), { force: true })
  return result
}

/** What keeps a server to itself that only replays WAL, and its messages as we read them. */
const alone = {
  archive_mode: 'off',
  // It would ask for the original's limits.
  hot_standby: 'off',
  // Nor are subscriptions and jobs its business, when it has come to the end.
  max_worker_processes: '0',
  ssl: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'warning',
  lc_messages: 'C',
}

/** Waits until the server has come to the end, or has ended. Nothing tells of it but its files. */
async function untilRecovered(
  directory: DataDirectory,
  { progress, segmentSize, signal }: RecoveryOptions,
): Promise<void> {
  let replayed = 0
  for (let pause = 2; ; pause = Math.min(2 * pause, 100)) {
    const postmaster = await findPostmaster(directory)
    const { files } = readRecoveryLog(await readWhole(directory))
    progress.add((files - replayed) * segmentSize)
    replayed = files
    if (postmaster === null || postmaster.file.status === 'ready') return
    await sleep(pause, undefined, { signal })
  }
}

async function readWhole(directory: DataDirectory): Promise<string> {
  return await readFile(directory.logFile, 'utf8').catch(() => '')
}

/** A string in a configuration file. */
function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
