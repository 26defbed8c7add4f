import { constants } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errno } from './errno.ts'
import { fileError } from './errors.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** How a file is published. */
export interface Publishing {
  /** Where it is written before it is renamed; in the same directory. Nobody else may be using it. */
  readonly temporary: string
  /** Survive a power failure, too: sync the file and its directory. That costs milliseconds. */
  readonly durable: boolean
}

/** Makes or replaces a file, so that it is seen whole or not at all, whenever this process is killed. */
export async function publishFile(
  path: string,
  content: string,
  { temporary, durable }: Publishing,
): Promise<void> {
  try {
    await rm(temporary, { force: true })
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)
    try {
      await file.writeFile(content)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    if (durable) await syncDirectory(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw fileError(error, path, 'write')
  }
}

/** Makes the names in a directory survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined
  try {
    directory = await open(path, constants.O_RDONLY)
    await directory.sync()
  } catch (error) {
    // Some file systems cannot sync directories, and some directories may be written but not read.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES', 'EPERM', 'EISDIR'].includes(errno(error)))
      throw error
  } finally {
    await directory?.close()
  }
}
