import { rm } from 'node:fs/promises'
import { postgres, Server } from '@howdah/cluster'
import { ClusterSubject, findAddress } from '@howdah/cluster/inside'
import { Free } from '@howdah/coordinate'
import {
  type DataDirectory,
  coordinationPaths,
  type ServerUser,
  takeBackAbandoned,
  writeMark,
} from '@howdah/data-directory'
import { LocalState } from '@howdah/known-clusters'
import type { Runtime } from '@howdah/runtime'

/** How to run a private server. */
interface PrivateServerOptions {
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** The role to connect as. */
  readonly superuser: string
  readonly settings?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a server on a directory that does not count as a cluster yet, for as long as an action runs. It has only a socket in
 * that directory, and ends if we are killed.
 */
export async function runPrivately<Result>(
  directory: DataDirectory,
  { runtime, user, superuser, settings = {}, signal }: PrivateServerOptions,
  action: (server: Server) => Promise<Result>,
): Promise<Result> {
  await writeMark(directory, user, { superuser, created: true })
  const subject = new ClusterSubject(
    directory,
    user,
    () => Promise.resolve(runtime),
    // It is not listed.
    new LocalState(() => undefined),
  )
  const free = new Free(subject, coordinationPaths(directory, user, false))
  const shared = await free.join({ start: { settings }, ifExists: true, signal })
  try {
    const address = await findAddress(directory, false)
    return await action(new Server(directory.path, runtime, address, postgres))
  } finally {
    await shared.leave()
    // Before the record goes, which shows that a killed server ran here, and before the files leave the directory, by which its
    // memory is found.
    await takeBackAbandoned(directory, { user, runtime: () => Promise.resolve(runtime) })
    const left = [directory.record, directory.logFile, directory.file('postmaster.opts')]
    for (const path of left) await rm(path, { force: true })
  }
}
