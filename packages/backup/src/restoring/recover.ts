import { rm, statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from '@howdah/runtime'
import {
  type DataDirectory,
  diskFull,
  findPostmaster,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import { recoveryFailed } from '../errors.ts'
import { readWholeLog, runPrivately } from '../private-server.ts'
import type { ProgressReport } from '../progress-report.ts'
import { type RecoveryLog, readRecoveryLog } from './recovery-log.ts'
import { restoreCommand, restoreScript, restoreScriptName } from './restore-script.ts'

/** How to recover a copied base backup. */
export interface RecoveryOptions {
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** The role to connect as. */
  readonly superuser: string
  /** The directory with the WAL, which the server's user can read. */
  readonly wal: string
  /** In bytes. */
  readonly segmentSize: number
  /** The timeline to follow; `null` for the backup's own. */
  readonly timeline: number | null
  /** The settings that say where to stop; empty for the end of the WAL. */
  readonly target: Readonly<Record<string, string>>
  /** Settings that the server needs to replay the WAL. */
  readonly settings: Readonly<Record<string, string>>
  readonly progress: ProgressReport
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts a private server that replays WAL on a copied base backup up to a target or the end, and stops it.
 *
 * The caller has to check whether the target was reached. Throws `ERR_CLUSTER_RECOVERY_FAILED` with the server's message.
 */
export async function recover(
  directory: DataDirectory,
  options: RecoveryOptions,
): Promise<RecoveryLog> {
  const { runtime, user, superuser, wal, target, signal } = options
  const major = runtime.version.major
  await writeOwnFile(directory.file(restoreScriptName), restoreScript(wal), user)
  const recovery = {
    restore_command: restoreCommand,
    ...targetTimeline(options, major),
    ...target,
  }
  if (major < 12) {
    const lines = Object.entries(recovery).map(([name, value]) => `${name} = ${literal(value)}\n`)
    await writeOwnFile(directory.file('recovery.conf'), lines.join(''), user)
  } else {
    await writeOwnFile(directory.file('recovery.signal'), '', user)
  }
  const settings = {
    ...options.settings,
    // Otherwise the server would insist on the original's limits.
    hot_standby: 'off',
    ...(major >= 12 && recovery),
  }
  const server = { runtime, user, superuser, settings, signal }
  const log = await runPrivately(directory, server, async () => {
    await untilRecovered(directory, options)
  })
  const result = readRecoveryLog(log)
  // From 13 on the server reports a missed target. Before 13 it goes on as if it had reached the target.
  const isShort = /recovery ended before configured recovery target was reached/.test(log)
  if (!isShort && !/archive recovery complete/.test(log)) {
    if (await hasNoRoom(directory, log)) {
      throw diskFull(directory.path, directory.path, null, {
        cause: new Error(log),
      })
    }
    const why = result.failure ?? 'the server ended on the way'
    throw recoveryFailed(directory.path, why, log.trim().split('\n').slice(-8).join('\n'))
  }
  const left = ['recovery.done', 'backup_label.old', 'tablespace_map.old']
  for (const name of [restoreScriptName, ...left]) await rm(directory.file(name), { force: true })
  return result
}

/**
 * The setting for the timeline. The backup's own timeline is not named by number, because its history may be in another
 * archive; before 12 it is the default.
 */
function targetTimeline({ timeline }: RecoveryOptions, major: number): Record<string, string> {
  if (timeline !== null) return { recovery_target_timeline: String(timeline) }
  return major < 12 ? {} : { recovery_target_timeline: 'current' }
}

/** Waits until the server has reached the end, or has stopped. It looks only at the server's files. */
async function untilRecovered(
  directory: DataDirectory,
  { progress, segmentSize, signal }: RecoveryOptions,
): Promise<void> {
  let replayed = 0
  for (let pause = 2; ; pause = Math.min(2 * pause, 100)) {
    const postmaster = await findPostmaster(directory)
    const { files } = readRecoveryLog(await readWholeLog(directory))
    progress.add((files - replayed) * segmentSize)
    replayed = files
    if (postmaster === null || postmaster.file.status === 'ready') return
    await sleep(pause, undefined, { signal })
  }
}

/** Whether the server stopped because the disk is full. Its log says so, if there was room for the message. */
async function hasNoRoom(directory: DataDirectory, log: string): Promise<boolean> {
  if (log.includes('No space left on device')) return true
  const { bavail } = await statfs(directory.here)
  return bavail === 0
}

/** Quotes a string for a configuration file. */
function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
