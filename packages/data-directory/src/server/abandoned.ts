import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from '../data-directory.ts'
import { leftSegment, removeSegment } from '../memory/left-segment.ts'
import { endOrphans } from '../processes/orphans.ts'
import { runServerProgram } from '../user/server-program.ts'
import type { ServerUser } from '../user/server-user.ts'
import { removeLeftFiles } from './left-files.ts'
import { findPostmaster } from './postmaster.ts'

/** How long the processes of a killed server may take to end, in ms. */
const patience = 10_000

/** How to run a server program on the directory of a killed server. */
export interface Removal {
  readonly user: ServerUser | null
  /** Finds the PostgreSQL whose segment is removed. */
  readonly runtime: () => Promise<Runtime>
}

/**
 * Ends the children and frees the shared memory of a killed server. Call it before its data directory is removed, because
 * they could not be found later. If no server was killed, nothing happens. The caller holds the change and use locks.
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
  // The directory can be removed without a runtime, too.
  const chosen = (await removal?.runtime().catch(() => null)) ?? null
  if (chosen !== null) await giveBackMemory(directory, chosen, removal?.user ?? null)
  // The segment is still there if there is no server program, if it is older than 13, or if it refuses to start on an
  // unfinished directory.
  await removeSegment(segment)
}

/**
 * Frees all shared memory of a killed server on a data directory. Only a server that starts there can find all of it, and it
 * frees it first; so does one that only checks its configuration.
 *
 * Before 13 the key comes from the port and not from the directory, so the next server at that port frees the memory. Source:
 * `PGSharedMemoryCreate` in PostgreSQL's `sysv_shmem.c`. The caller holds the change and use locks.
 */
export async function giveBackMemory(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  if (runtime.version.major < 13) return
  // `--check` does from 15 on what `--boot -x0` did before.
  const check = runtime.version.major >= 15 ? ['--check'] : ['--boot', '-x0']
  const args = (path: string) => [...check, '-D', path]
  const deadline = performance.now() + patience
  for (;;) {
    const { stderr } = await runServerProgram(runtime, 'postgres', {
      user,
      path: directory.path,
      args,
    })
    if (!stderr.includes('pre-existing shared memory block')) return
    if (performance.now() > deadline) return
    // A process that was just forked has no title yet, so it may have been taken for a server.
    await sleep(20)
    await endOrphans(directory)
  }
}
