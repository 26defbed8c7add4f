import { acquireLock } from '../waiting/acquire.ts'
import { EditedFile, type EditOptions } from './edited-file.ts'
import { readWhole } from './read-whole.ts'
import { requireRegular } from './require-regular.ts'
import { request, type WaitOptions } from '../waiting/request.ts'

/**
 * Files that processes share: each call holds the right lock on the file itself while it works.
 *
 * What is written is published by renaming a complete file, so that nobody ever sees a torn or an empty one, also those
 * who do not lock, and a kill at any instant leaves the old content or the new, whole. Content is text in UTF-8.
 */
export const lockedFile = {
  /**
   * Reads a file under a shared lock.
   *
   * Rejects with `ERR_LOCK_NOT_FOUND` if there is none, and as `acquire` does.
   */
  async read(path: string, options: WaitOptions = {}): Promise<string> {
    const wanted = {
      ...request(path, { ...options, mode: 'shared', create: false }),
      readOnly: true,
    }
    // Reading must not change the times of somebody's file.
    const lock = await acquireLock(wanted)
    try {
      requireRegular(lock)
      return await readWhole(lock.fd, lock.path)
    } finally {
      lock.release()
    }
  },

  /** Makes or replaces a file under an exclusive lock. Rejects as `acquire` does, or if it cannot be written. */
  async write(path: string, content: string, options: EditOptions = {}): Promise<void> {
    await using file = await EditedFile.open(path, options)
    await file.write(content)
  },

  /**
   * Reads, computes and publishes under one exclusive lock, and gives what the file now holds.
   *
   * `change` gets `null` if there is no file; if it returns `null`, nothing is written. If it throws nothing is
   * written, and `transform` rejects with what it threw.
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
   * Opens a file for reading and writing, several times if need be, under one exclusive lock that is held until it is
   * released or disposed. Rejects as `acquire` does.
   */
  async edit(path: string, options: EditOptions = {}): Promise<EditedFile> {
    return EditedFile.open(path, options)
  },
}
