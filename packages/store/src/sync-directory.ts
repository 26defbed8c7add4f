import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errno } from './errno.ts'

/** Makes the names in a directory survive a power failure, where its file system can. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY)
  try {
    await directory.sync()
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR'].includes(errno(error))) throw error
  } finally {
    await directory.close()
  }
}
