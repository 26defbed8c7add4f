import { readdir, rm } from 'node:fs/promises'
import type { DataDirectory } from './data-directory.ts'
import { endOrphans } from './orphans.ts'
import { findPostmaster } from './postmaster.ts'
import { lookAtPidFile, NamelessPidFile } from './postmaster-pid.ts'
import { readIfThere } from './read-if-there.ts'

/**
 * Removes what a killed server has left in its data directory and what would keep the next one from starting: files whose
 * pid is now another process's, or still that of a killed one that nobody has waited for. A server looks no further than
 * whether there is something of its user with that pid, and in a container that was started anew there often is.
 *
 * The pid file of a process that is gone is left to the server: by the shared memory that it names, a server finds out
 * whether children of the earlier one still work here, and before 13 by nothing else, as soon as it has another port.
 * A file that names no process goes, if no server runs. The caller holds the change and use locks.
 *
 * Throws as {@link findPostmaster} does.
 */
export async function removeLeftFiles(directory: DataDirectory): Promise<void> {
  const file = await lookAtPidFile(directory)
  if (file !== null) {
    if ((await findPostmaster(directory)) !== null) return
    if (file instanceof NamelessPidFile || isTaken(file.pid)) {
      await endOrphans(directory)
      await rm(directory.pidFile, { force: true })
    }
  }
  for (const { path, pid } of await socketLocks(directory)) {
    if (isTaken(pid)) await rm(path, { force: true })
  }
}

/** Whether kill(2) finds something with that pid, which may be a zombie or a thread: all that a server asks for. */
function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The lock files beside the sockets in a data directory. */
export async function socketLocks(
  directory: DataDirectory,
): Promise<{ readonly path: string; readonly pid: number }[]> {
  const names = await readdir(directory.path).catch(() => [])
  const locks = names.filter((name) => /^\.s\.PGSQL\.\d+\.lock$/.test(name))
  return locks.map((name) => {
    const path = directory.file(name)
    return { path, pid: Number.parseInt(readIfThere(path) ?? '', 10) }
  })
}
