import { closeSync, constants, fsync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { errno } from './errno.ts'

const syncDescriptor = promisify(fsync)

/**
 * What is forgiven of a directory: file systems that cannot sync one (EINVAL, ENOTSUP, EISDIR), and directories that this
 * user may write but not read (EACCES, EPERM). A disk that fails is never forgiven.
 */
const forgiven = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EACCES', 'EPERM'])

/** Waits until an open file is on the disk, fsync(2). Nothing is forgiven: rejects with the system's error. */
export async function syncFile(fd: number): Promise<void> {
  await syncDescriptor(fd)
}

/**
 * Waits until the names in a directory are on the disk, so that what was made, renamed or removed there survives a power
 * failure. If the directory or its file system cannot be synced, that is forgiven. Rejects with any other error.
 */
export async function syncDirectory(path: string): Promise<void> {
  let fd: number | undefined
  try {
    // Windows has neither flag, and counts nothing as 0. What was put in the directory's place is never waited for.
    const { O_DIRECTORY, O_NONBLOCK, O_RDONLY } = constants
    fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
    await syncDescriptor(fd)
  } catch (error) {
    if (!forgiven.has(errno(error))) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
