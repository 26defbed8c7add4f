import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from './data-directory.ts'
import { removeLeftFiles } from './left-files.ts'
import { endOrphans } from './orphans.ts'
import { findPostmaster } from './postmaster.ts'
import { runServerProgram } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

/** How to run a server program on a directory that is to be removed. */
export interface Removal {
  readonly user: ServerUser | null
  readonly runtime: () => Promise<Runtime>
}

/**
 * Takes back what a killed postmaster has left behind, before its data directory is removed and nobody could find it any
 * more: its children, and its shared memory. Where none was killed, nothing happens. The caller holds the change and use
 * locks.
 */
export async function takeBackAbandoned(
  directory: DataDirectory,
  { user, runtime }: Removal,
): Promise<void> {
  if (!(await directory.has(directory.pidFile))) return
  if ((await findPostmaster(directory)) !== null) return
  await endOrphans(directory)
  await removeLeftFiles(directory)
  // It can be removed without one, too.
  const chosen = await runtime().catch(() => null)
  if (chosen !== null) await giveBackMemory(directory, chosen, user)
}

/**
 * Has all shared memory given back that a killed server on a data directory has left, which is known by no other than a
 * server that starts there: it does so first of all, and so does one that is only to check its configuration.
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
