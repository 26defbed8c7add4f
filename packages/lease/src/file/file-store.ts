import { createHash, randomUUID } from 'node:crypto'
import { link, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errno, readPlainBytes, syncDirectory } from '@howdah/durable'
import type { Logger } from '../logger.ts'
import type { Absent, RecordStore, Stored, Swapped } from '../record-store.ts'
import { fileError, unreadable } from './file-error.ts'
import { listRecords } from './list-records.ts'
import { makeShared, writeShared } from './shared-file.ts'
import { storeUnavailable } from '../errors.ts'

/** How many times in a row a listing may be out of date when its newest record is read. */
const attempts = 100

/** The number of the record that has the state; 0 if the file itself has it, or there is no state. */
type Version = number

/**
 * Keeps a record in numbered files.
 *
 * This is a compare-and-swap for the following reason. The state is the record with the highest number n. Record n + 1 is
 * made by link(2), and only one process can make it. Old records are removed in ascending order, so while n exists, n + 1 was
 * never removed, and the process that linked it was the first. If a contender was stopped for so long that n + 1 has appeared
 * and was removed again, it finds that n is gone, and has lost.
 */
export class FileStore implements RecordStore<Version> {
  readonly place: string
  readonly #dir: string
  readonly #name: string
  readonly #root: string
  readonly #logger: Logger

  constructor(dir: string, path: string, logger: Logger) {
    this.place = join(dir, path)
    this.#root = dir
    this.#dir = dirname(this.place)
    this.#name = basename(this.place)
    this.#logger = logger
  }

  async read(signal?: AbortSignal): Promise<Stored<Version> | Absent<Version>> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      signal?.throwIfAborted()
      const { highest } = await this.#list()
      const bytes = await this.#readBytes(highest)
      if (bytes !== null) return { bytes, etag: etagOf(bytes), version: highest }
      if (highest === 0) return { bytes: null, version: 0 }
    }
    throw storeUnavailable(this.place, 'changes faster than it can be read')
  }

  async swap(base: Stored<Version> | Absent<Version>, next: Uint8Array): Promise<Swapped | null> {
    const version = base.version + 1
    const temporary = await this.#writeTemporary(version, next)
    try {
      if (!(await this.#link(temporary, version))) return null
      if (!(await this.#follows(base))) return null
      // Both run together, because some file systems write both at once.
      const [synced, copy] = await Promise.allSettled([
        syncDirectory(this.#dir),
        this.#writeTemporary(version, next),
      ])
      if (synced.status === 'rejected') throw synced.reason
      const { highest, cleared } = await this.#list()
      await this.#publish(copy, cleared)
      return { etag: etagOf(next), present: highest === version }
    } catch (error) {
      throw fileError(error, this.place)
    } finally {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  /**
   * Links the temporary file to the record's name, and gives whether that succeeded. The link count decides, because NFS may
   * repeat a request and then answer EEXIST.
   */
  async #link(temporary: string, version: Version): Promise<boolean> {
    let refusal: unknown
    try {
      await link(temporary, this.#record(version))
    } catch (error) {
      refusal = error
    }
    let links: number
    try {
      links = (await stat(temporary)).nlink
    } catch (error) {
      // Other processes are so far ahead that they removed it as a left file.
      if (errno(error) === 'ENOENT') return false
      throw error
    }
    if (links > 1) return true
    if (refusal === undefined || errno(refusal) === 'EEXIST') return false
    throw refusal as Error
  }

  /** Whether the record that was just linked follows `base`, which must still be there, unchanged. */
  async #follows(base: Stored<Version> | Absent<Version>): Promise<boolean> {
    const again = await this.#readBytes(base.version)
    if (base.bytes === null || again === null) return base.bytes === again
    return etagOf(again) === base.etag
  }

  /**
   * Updates the file, and then removes old files. The change itself is already made, so errors are only logged.
   */
  async #publish(copy: PromiseSettledResult<string>, cleared: readonly string[]): Promise<void> {
    try {
      if (copy.status === 'rejected') throw copy.reason
      await rename(copy.value, this.place)
      for (const name of cleared) await rm(join(this.#dir, name), { force: true })
    } catch (error) {
      // Other processes, further ahead, have removed the copy.
      if (errno(error) === 'ENOENT') return
      this.#logger.warn?.(`cannot tidy up beside ${this.place}`, { error })
    }
  }

  async #writeTemporary(version: Version, bytes: Uint8Array): Promise<string> {
    const path = join(this.#dir, `.${this.#name}.${version}.${randomUUID()}.tmp`)
    try {
      await writeShared(path, bytes)
    } catch (error) {
      if (errno(error) !== 'ENOENT' || this.#dir === this.#root) throw fileError(error, this.place)
      // Directories in `path` may still be missing, but `dir` itself must exist.
      await stat(this.#root).catch((cause: unknown) => {
        throw fileError(cause, this.place)
      })
      try {
        makeShared(this.#dir)
        await writeShared(path, bytes)
      } catch (cause) {
        throw fileError(cause, this.place)
      }
    }
    return path
  }

  async #list() {
    try {
      return await listRecords(this.#dir, this.#name)
    } catch (error) {
      if (errno(error) === 'ENOENT' && this.#dir !== this.#root) return { highest: 0, cleared: [] }
      throw fileError(error, this.place)
    }
  }

  async #readBytes(version: Version): Promise<Uint8Array | null> {
    const record = this.#record(version)
    try {
      return await readPlainBytes(record)
    } catch (error) {
      if (errno(error) === 'ENOENT') return null
      throw unreadable(error, this.place, record)
    }
  }

  #record(version: Version): string {
    return version === 0 ? this.place : `${this.place}.${version}`
  }
}

/** The etag of a record: the SHA-256 of its bytes in lower-case hex. */
function etagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
