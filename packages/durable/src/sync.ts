import { closeSync, constants, fsync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { errno } from './errno.ts'

const syncDescriptor = promisify(fsync)

/**
 * The errors that are ignored when a directory is synced: the file system cannot sync one (EINVAL, ENOTSUP, EISDIR), or this
 * user may write to the directory but not read it (EACCES, EPERM). A failing disk is always reported.
 */
const forgiven = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EACCES', 'EPERM'])

/** Waits until an open file is on the disk, by fsync(2). Rejects with any error of the system. */
export async function syncFile(fd: number): Promise<void> {
  await syncDescriptor(fd)
}

/**
 * Waits until the names in a directory are on the disk, so that files made, renamed or removed there survive a power failure.
 * A directory that cannot be synced is skipped without an error. Rejects with any other error.
 */
export async function syncDirectory(path: string): Promise<void> {
  let fd: number | undefined
  try {
    // Windows has neither flag; `undefined` counts as 0 here. A FIFO put in the directory's place cannot block the call.
    const { O_DIRECTORY, O_NONBLOCK, O_RDONLY } = constants
    fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
    await syncDescriptor(fd)
  } catch (error) {
    if (!forgiven.has(errno(error))) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
