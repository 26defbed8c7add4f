import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { publishFile, readPlainFile } from '@howdah/durable'
import { cacheDirectory } from '../machine/cache-directory.ts'
import { isRecord } from '../install/json.ts'
import { existingTrustedDirectory, trustedDirectory } from '../machine/trusted-directory.ts'
import { Version } from './version.ts'

interface Entry {
  readonly size: number
  readonly mtimeMs: number
  readonly ino: number
  readonly version: string
}

const format = 1
/** The largest number of entries: enough for any machine, and fast to read. */
const capacity = 200

/**
 * The versions of programs, kept on disk so that the programs need not be run again.
 *
 * A program counts as unchanged while its real path, size, modification time and inode are the same. No method throws because
 * of the cache: if its directory cannot be trusted, or its file is damaged, the programs are run again.
 */
export class VersionCache {
  readonly #cacheDir: string | undefined
  #entries: Promise<Map<string, Entry>> | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(cacheDir?: string) {
    this.#cacheDir = cacheDir
  }

  /** The known version of a program, otherwise the answer of `ask`. */
  async versionOf(path: string, stats: Stats, ask: () => Promise<Version>): Promise<Version> {
    this.#entries ??= this.#load()
    const entries = await this.#entries
    const known = entries.get(path)
    if (known?.size === stats.size && known.mtimeMs === stats.mtimeMs && known.ino === stats.ino) {
      return Version.parse(known.version)
    }
    const version = await ask()
    const { size, mtimeMs, ino } = stats
    entries.set(path, { size, mtimeMs, ino, version: version.toString() })
    this.#saving = this.#saving.then(() => this.#save(entries))
    await this.#saving
    return version
  }

  async #load(): Promise<Map<string, Entry>> {
    try {
      const directory = await existingTrustedDirectory(cacheDirectory(this.#cacheDir))
      if (directory === null) return new Map()
      return parse(readPlainFile(join(directory, 'versions.json')))
    } catch {
      return new Map()
    }
  }

  /**
   * Writes our entries together with those that others have written since. If two processes write at once, an entry may be
   * lost, which is harmless.
   */
  async #save(entries: Map<string, Entry>): Promise<void> {
    try {
      const directory = await trustedDirectory(cacheDirectory(this.#cacheDir))
      const all = [...new Map([...(await this.#load()), ...entries])].slice(-capacity)
      const text = JSON.stringify({ format, entries: Object.fromEntries(all) })
      // Not synced: after a power failure the programs are asked again.
      await publishFile(join(directory, 'versions.json'), text, { mode: 0o600, durable: false })
    } catch {
      // If the cache cannot be written, the next process runs the programs again.
    }
  }
}

function parse(text: string): Map<string, Entry> {
  const content: unknown = JSON.parse(text)
  if (!isRecord(content) || content['format'] !== format || !isRecord(content['entries'])) {
    return new Map()
  }
  const entries = Object.entries(content['entries'])
  return new Map(entries.filter((entry): entry is [string, Entry] => isEntry(entry[1])))
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false
  const { size, mtimeMs, ino, version } = value
  if ([size, mtimeMs, ino].some((field) => typeof field !== 'number')) return false
  try {
    return typeof version === 'string' && Version.parse(version).toString() === version
  } catch {
    return false
  }
}
