import { readdir, rm } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import { isServed, readRecord } from '@howdah/coordinate'
import type { DataDirectory } from '../data-directory.ts'
import { endOrphans } from '../processes/orphans.ts'
import { findPostmaster } from './postmaster.ts'
import { lookAtPidFile, NamelessPidFile } from '../files/postmaster-pid.ts'
import { coordinationPaths } from '../coordination-paths.ts'
import { readIfThere } from '../files/read-if-there.ts'

/**
 * Removes the files of a killed server that would keep the next server from starting. A starting server only checks whether a
 * process of its user has the pid in such a file. In a restarted container there often is one, now or a moment later.
 *
 * If howdah started the server, its files are removed if its lock is free, because then no process of it lives, in any
 * container. A file that names no process is removed, too. If somebody else started the server, its pid file is removed only
 * if its pid is taken. Otherwise we keep it: from the shared memory that it names, the next server sees whether children of
 * the earlier server still work here. Before 13 a server with another port has no other way to see this. The caller holds the
 * change and use locks.
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

/** Whether the pid belonged to the server that howdah started here last, and no process of that server lives. */
async function isOver(directory: DataDirectory, pid: number): Promise<boolean> {
  const paths = coordinationPaths(directory)
  return readRecord(paths)?.process.pid === pid && !(await isServed(paths))
}

/**
 * Whether kill(2) finds a process with that pid, even a zombie or a thread, because a starting server checks no more than
 * that.
 */
function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errno(error) === 'EPERM'
  }
}

/** The lock files of the sockets in a data directory. */
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
