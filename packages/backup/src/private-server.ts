import { rm } from 'node:fs/promises'
import { Free } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import {
  ClusterError,
  coordinationPaths,
  type DataDirectory,
  readIfThere,
  type ServerUser,
  takeBackAbandoned,
  writeMark,
} from '@howdah/data-directory'
import { ClusterSubject } from '@howdah/cluster/inside'
import { LocalState } from '@howdah/known-clusters'

/** How to run a private server. */
export interface PrivateServerOptions {
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** The role to connect as. */
  readonly superuser: string
  readonly settings: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a server on a copied cluster, which nobody else uses yet, while `action` runs. Nobody else can connect to the server,
 * it archives nothing, and it ends if we are killed.
 *
 * Gives the server's whole log, in English, even if the server did not start, because the log says why.
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
    // It is not listed, because it runs only for a moment.
    new LocalState(() => undefined),
  )
  const free = new Free(subject, coordinationPaths(directory, user))
  // A recovery may take any time.
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
  // Before the record goes, which shows that a killed server ran here, and before the files leave the directory, by which its
  // memory is found.
  await takeBackAbandoned(directory, { user, runtime: () => Promise.resolve(runtime) })
  for (const path of [directory.record, directory.file('postmaster.opts')]) {
    await rm(path, { force: true })
  }
  return await readWholeLog(directory)
}

/** The log of a private server so far. */
export async function readWholeLog(directory: DataDirectory): Promise<string> {
  return readIfThere(directory.logFile, 2 ** 28) ?? ''
}

/** Settings of a server that only replays WAL, with a log that we parse. */
const alone = {
  archive_mode: 'off',
  // Without workers it runs no subscriptions and no jobs at the end of the WAL.
  max_worker_processes: '0',
  ssl: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'warning',
  lc_messages: 'C',
}
