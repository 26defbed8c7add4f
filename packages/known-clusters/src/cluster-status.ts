import { resolve } from 'node:path'
import { ownership } from '@howdah/coordinate'
import {
  coordinationPaths,
  type DataDirectory,
  findPostmaster,
  readVersion,
  refuseServed,
} from '@howdah/data-directory'
import type { PartialVersion } from '@howdah/runtime'

/** The state of a data directory. */
export type ClusterStatus =
  | { readonly state: 'missing' }
  | { readonly state: 'stopped'; readonly version: PartialVersion }
  | RunningStatus

/** A running server, as it describes itself in `postmaster.pid`. */
export interface RunningStatus {
  readonly state: 'running'
  readonly version: PartialVersion
  readonly pid: number
  /** By the wall clock, which may be set. */
  readonly startedAt: Date
  readonly port: number | null
  /** The absolute path; `null` if the server has no socket. */
  readonly socketDirectory: string | null
  /** The first address that the server listens on; `null` without TCP. */
  readonly listenAddress: string | null
  /** Whether howdah started the server. Howdah leaves other servers running. */
  readonly ours: boolean
  /** Whether the server stays when its last user leaves. */
  readonly pinned: boolean
}

/** The state of a data directory. Throws if it is unknown, and never guesses "stopped". */
export async function statusOf(directory: DataDirectory): Promise<ClusterStatus> {
  const version = await readVersion(directory)
  if (version === null) {
    const isNew = !(await directory.has(directory.path))
    await refuseServed(directory, isNew)
    return { state: 'missing' }
  }
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) return { state: 'stopped', version }
  const { file, identity } = postmaster
  const { port, startedAt, socketDirectory, listenAddress } = file
  const owner = await ownership(coordinationPaths(directory), { process: async () => identity })
  return {
    state: 'running',
    version,
    pid: identity.pid,
    startedAt,
    port,
    socketDirectory: socketDirectory === null ? null : resolve(directory.path, socketDirectory),
    listenAddress,
    ours: owner === 'ours' || owner === 'pinned',
    pinned: owner === 'pinned' || owner === 'foreign',
  }
}
