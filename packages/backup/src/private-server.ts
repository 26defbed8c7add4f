import { rm } from 'node:fs/promises'
import { Free } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import {
  ClusterError,
  type DataDirectory,
  placeOf,
  readIfThere,
  type ServerUser,
  writeMark,
} from '@howdah/data-directory'
import { ClusterSubject } from '@howdah/cluster/inside'
import { LocalState } from '@howdah/known-clusters'

/** How a private server is run. */
export interface PrivateServerOptions {
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** The role to connect as. */
  readonly superuser: string
  readonly settings: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a server on a copied cluster, which nobody else uses yet, while `action` lasts. Nobody can connect to the server, it
 * archives nothing, and it ends if we are killed.
 *
 * Answers with its whole log, in English, also if the server did not start: the log says why.
 */
export async function runPrivately(
  directory: DataDirectory,
  { runtime, user, superuser, settings, signal }: PrivateServerOptions,
  action: () => Promise<void>,
): Promise<string> {
  await writeMark(directory, user, { superuser, created: true })
  const subject = new ClusterSubject(
    directory,
    user,
    () => Promise.resolve(runtime),
    // No list has to show it: it is gone in a moment.
    new LocalState(() => undefined),
  )
  const free = new Free(subject, placeOf(directory, user, false))
  // Nobody knows how long a recovery takes.
  const start = { settings: { ...settings, ...alone }, timeout: Infinity }
  try {
    const shared = await free.join({ start, ifExists: true, signal })
    try {
      await action()
    } finally {
      await shared.leave()
    }
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === 'ERR_CLUSTER_START_FAILED')) throw error
  }
  for (const path of [directory.record, directory.file('postmaster.opts')]) {
    await rm(path, { force: true })
  }
  return await readWholeLog(directory)
}

/** What a private server has logged so far. */
export async function readWholeLog(directory: DataDirectory): Promise<string> {
  return readIfThere(directory.logFile, 2 ** 28) ?? ''
}

/** Settings of a server that only replays WAL, and whose log we read. */
const alone = {
  archive_mode: 'off',
  // So it runs neither subscriptions nor jobs at the end of the WAL.
  max_worker_processes: '0',
  ssl: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'warning',
  lc_messages: 'C',
}
