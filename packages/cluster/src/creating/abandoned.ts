import type { Runtime } from '@howdah/runtime'
import {
  type DataDirectory,
  endOrphans,
  findPostmaster,
  leftSegment,
  removeLeftFiles,
  removeSegment,
  runServerProgram,
  type ServerUser,
} from '@howdah/data-directory'

/** How to run a server program on a directory that is to be removed. */
export interface Removal {
  readonly user: ServerUser | null
  readonly runtime: () => Promise<Runtime>
}

/**
 * Takes back what a killed server has left behind, before its data directory is removed and nobody could find it any more: its
 * children, and its shared memory. If none was killed, nothing happens. The caller holds the change and use locks.
 */
export async function takeBackAbandoned(
  directory: DataDirectory,
  removal?: Removal,
): Promise<void> {
  if (!(await directory.has(directory.pidFile))) return
  if ((await findPostmaster(directory)) !== null) return
  await endOrphans(directory)
  const segment = await leftSegment(directory)
  await removeLeftFiles(directory)
  // It can be removed without one, too.
  const chosen = (await removal?.runtime().catch(() => null)) ?? null
  if (chosen !== null) await giveBackMemory(directory, chosen, removal?.user ?? null)
  // A server that is not there, is older than 13, or refuses to start on an unfinished directory has not done it.
  if (segment !== null) await removeSegment(segment.id)
}

/**
 * Frees all shared memory of a killed server on a data directory. Only a server that starts there can find all of it, and it
 * frees it first; so does one that only checks its configuration.
 *
 * Before 13, where the key does not come from the directory but from the port, the next server at that port does so.
 * Source: `PGSharedMemoryCreate` in PostgreSQL's `sysv_shmem.c`. The caller holds the change and use locks.
 */
export async function giveBackMemory(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  if (runtime.version.major < 13) return
  // The former does for 15 and later what the latter did before.
  const check = runtime.version.major >= 15 ? ['--check'] : ['--boot', '-x0']
  await runServerProgram(runtime, 'postgres', {
    user,
    path: directory.path,
    args: (path) => [...check, '-D', path],
  })
}
