import { acquireLock } from '../waiting/acquire.ts'
import { EditedFile, type EditOptions } from './edited-file.ts'
import { readWhole } from './read-whole.ts'
import { requireRegular } from './require-regular.ts'
import { request, type WaitOptions } from '../waiting/request.ts'

/**
 * Files that processes share. Each call holds a lock on the file itself while it works: shared to read, exclusive to write.
 *
 * New content is published by renaming a complete file. So nobody ever sees a torn or an empty file, not even a reader who
 * does not lock, and a kill at any instant leaves the whole old or the whole new content. Content is text in UTF-8.
 */
export const lockedFile = {
  /**
   * Reads a file under a shared lock.
   *
   * Rejects with `ERR_LOCK_NOT_FOUND` if there is no file, and as `acquire` does.
   */
  async read(path: string, options: WaitOptions = {}): Promise<string> {
    const wanted = {
      ...request(path, { ...options, mode: 'shared', create: false }),
      readOnly: true,
    }
    // Opened for reading only, the file keeps its times.
    const lock = await acquireLock(wanted)
    try {
      requireRegular(lock)
      return await readWhole(lock.fd, lock.path)
    } finally {
      lock.release()
    }
  },

  /**
   * Makes or replaces a file under an exclusive lock. Rejects as `acquire` does, or with a `LockError` if the file cannot be
   * written.
   */
  async write(path: string, content: string, options: EditOptions = {}): Promise<void> {
    await using file = await EditedFile.open(path, options)
    await file.write(content)
  },

  /**
   * Reads the file, calls `change` and publishes the result, all under one exclusive lock. Gives the content that the file
   * has now.
   *
   * `change` gets `null` if there is no file. If it returns `null`, nothing is written. If it throws, nothing is written, and
   * `transform` rejects with that error.
   *
   * @example
   * await lockedFile.transform('counter', (old) => String(Number(old ?? 0) + 1))
   */
  async transform(
    path: string,
    change: (old: string | null) => string | null | Promise<string | null>,
    options: EditOptions = {},
  ): Promise<string | null> {
    await using file = await EditedFile.open(path, options)
    const old = await file.read()
    const changed = await change(old)
    if (changed === null) return old
    await file.write(changed)
    return changed
  },

  /**
   * Opens a file to be read and written any number of times, under one exclusive lock that is held until it is released or
   * disposed. Rejects as `acquire` does.
   */
  async edit(path: string, options: EditOptions = {}): Promise<EditedFile> {
    return EditedFile.open(path, options)
  },
}
