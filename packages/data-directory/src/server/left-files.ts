import { readdir, rm } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import { isServed, readRecord } from '@howdah/coordinate'
import type { DataDirectory } from '../data-directory.ts'
import { endOrphans } from '../processes/orphans.ts'
import { findPostmaster } from './postmaster.ts'
import { lookAtPidFile, NamelessPidFile } from '../files/postmaster-pid.ts'
import { placeOf } from '../place.ts'
import { readIfThere } from '../files/read-if-there.ts'

/**
 * Removes what a killed server has left in its data directory and what would keep the next one from starting: a server
 * looks no further than whether there is something of its user with the pid in a file, and in a container that was started
 * anew there often is, now or a moment later.
 *
 * The files of a server that howdah started go if its lock is free: nothing of it lives, in whatever container. So does a
 * file that names no process. The pid file of a server that somebody else started goes only if its pid is taken: else it is
 * left to the next server, which finds out by the shared memory that it names whether children of the earlier one still
 * work here, and before 13 by nothing else, as soon as it has another port. The caller holds the change and use locks.
 *
 * Throws as {@link findPostmaster} does.
 */
export async function removeLeftFiles(directory: DataDirectory): Promise<void> {
  const file = await lookAtPidFile(directory)
  if (file !== null) {
    if ((await findPostmaster(directory)) !== null) return
    const goes = file instanceof NamelessPidFile || isTaken(file.pid)
    if (goes) await endOrphans(directory)
    if (goes || (await isOver(directory, file.pid))) await rm(directory.pidFile, { force: true })
  }
  for (const { path, pid } of await socketLocks(directory)) {
    if (isTaken(pid) || (await isOver(directory, pid))) await rm(path, { force: true })
  }
}

/** Whether it was the pid of the server that howdah started here last, and nothing of that one lives. */
async function isOver(directory: DataDirectory, pid: number): Promise<boolean> {
  const place = placeOf(directory, null, false)
  return readRecord(place)?.process.pid === pid && !(await isServed(place))
}

/** Whether kill(2) finds something with that pid, which may be a zombie or a thread: all that a server asks for. */
function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errno(error) === 'EPERM'
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
