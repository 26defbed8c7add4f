import { type FileHandle, lstat, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { acquire, openPlainFile, tryAcquire } from '@howdah/lock'
import { cacheDirectory, existingTrustedDirectory, trustedDirectory } from '@howdah/runtime'
import { explain } from '../files/explain.ts'
import { open } from '../files/open-file.ts'
import { packTree, readArchiveIndex } from '../tree/tree-archive.ts'
import { type UnpackOptions, unpackTree } from '../tree/unpack-tree.ts'
import { isDamage } from './is-damage.ts'
import { identityOf, type TemplateKey, thisMachine } from './template-key.ts'

/** A template in the cache. */
export interface Template {
  readonly path: string
  /** Of PostgreSQL. */
  readonly version: string
  /** The directory of the programs that made it. */
  readonly bindir: string
  /** In bytes. */
  readonly size: number
  readonly lastUsed: Date
  /** Whether it will never be used again: the programs that made it are gone or were replaced, or it is damaged. */
  readonly stale: boolean
}

const suffix = '.template'
/** How old the recorded time of the last use may get before it is updated, in ms. */
const day = 24 * 60 * 60 * 1000
/** How long an unused template is kept, in ms. */
const keptFor = 30 * day

/**
 * Templates: new clusters made by initdb, kept on this machine. Unpacking one takes a fraction of initdb's time.
 *
 * They lie in `templates` in the cache directory (`cacheDirectory()` of `@howdah/runtime`), and are used only if that
 * directory is ours and nobody else can write in it, because a server will run on their content. Each template appears as a
 * whole, by rename, and never changes.
 */
export class TemplateCache {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Opens the cache, and makes it if there is none yet. Rejects with `ERR_RUNTIME_CACHE_DIRECTORY` or
   * `ERR_RUNTIME_UNTRUSTED_DIRECTORY` of
   * `@howdah/runtime` if there is none that can be used.
   */
  static async open(): Promise<TemplateCache> {
    return new TemplateCache(await trustedDirectory(cacheDirectory(), 'templates'))
  }

  /** Opens the cache if there is one; `null` if not. Rejects as {@link open} does. */
  static async existing(): Promise<TemplateCache | null> {
    const directory = await existingTrustedDirectory(cacheDirectory(), 'templates')
    return directory === null ? null : new TemplateCache(directory)
  }

  /**
   * Unpacks the template into an empty directory. `'missing'`: there is no such template. `'damaged'`: the template was
   * damaged and is removed; parts of it may have been unpacked.
   */
  async unpack(
    { name }: TemplateKey,
    to: string,
    options: UnpackOptions,
  ): Promise<'unpacked' | 'missing' | 'damaged'> {
    await using archive = await this.#openTemplate(this.#file(name))
    if (archive === null) return 'missing'
    try {
      await unpackTree(archive, to, options)
      await noteUse(archive)
      return 'unpacked'
    } catch (error) {
      if (!isDamage(error)) throw error
      await rm(this.#file(name), { force: true })
      return 'damaged'
    }
  }

  /** Runs an action while no other process makes the same template. */
  async alone<Result>(key: TemplateKey, action: () => Promise<Result>): Promise<Result> {
    await using _ = await acquire(join(this.#directory, `${key.name}.lock`), {
      fair: false,
      timeout: patience,
      permissions: 0o600,
    })
    return await action()
  }

  /**
   * Packs the cluster that was made in a directory, as the user `owner` or as ourselves, into the cache. Call it within
   * {@link alone}. Of its files, those are left out for which `isWanted` does not hold. Also removes useless templates.
   */
  async keep(
    key: TemplateKey,
    made: string,
    owner: number | undefined,
    isWanted: (path: string) => boolean = () => true,
  ): Promise<void> {
    const temporary = join(this.#directory, `${key.name}.tmp`)
    // A killed process may have left a temporary file.
    await rm(temporary, { force: true })
    try {
      {
        await using file = await open(temporary, 'wx', 0o600)
        const uid = owner ?? process.geteuid?.()
        await file.writeFile(await packTree(made, key.about, uid, isWanted))
        await file.sync()
      }
      await rename(temporary, this.#file(key.name))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw explain(error, this.#directory, this.#directory)
    }
    await this.#removeStale()
  }

  /** Whether a template was wanted before: the file of its lock stays. */
  async wasWanted({ name }: TemplateKey): Promise<boolean> {
    return (await lstat(join(this.#directory, `${name}.lock`)).catch(() => null)) !== null
  }

  /** Whether there is a template with that name. */
  async has(name: string): Promise<boolean> {
    return (await lstat(this.#file(name)).catch(() => null)) !== null
  }

  /** The templates in the cache. */
  async list(): Promise<Template[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(suffix))
    const found = await Promise.all(
      names.map(async (name) => await this.#look(join(this.#directory, name))),
    )
    return found.filter((template) => template !== null)
  }

  /** Removes all templates. Processes that are unpacking one go on. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name)
      if (name.endsWith(suffix)) await rm(path, { force: true })
      else if (name.endsWith('.lock')) await this.#removeUnlocked(path)
    }
  }

  async #removeStale(): Promise<void> {
    for (const { path, stale, lastUsed } of await this.list()) {
      if (stale || Date.now() - lastUsed.getTime() > keptFor) {
        await rm(path, { force: true })
        await this.#removeUnlocked(`${path.slice(0, -suffix.length)}.lock`)
      }
    }
    // Of templates that were wanted once.
    for (const name of (await readdir(this.#directory)).filter((one) => one.endsWith('.lock'))) {
      const { mtimeMs } = await lstat(join(this.#directory, name)).catch(() => ({
        mtimeMs: Infinity,
      }))
      const isUsed = await this.has(name.slice(0, -'.lock'.length))
      if (!isUsed && Date.now() - mtimeMs > keptFor)
        await this.#removeUnlocked(join(this.#directory, name))
    }
  }

  /** Removes a lock file that nobody holds, with the unfinished template that its last holder may have left. */
  async #removeUnlocked(path: string): Promise<void> {
    const lock = await tryAcquire(path, { create: false }).catch(() => null)
    if (lock === null) return
    await rm(`${path.slice(0, -'.lock'.length)}.tmp`, { force: true })
    await rm(path, { force: true })
    lock.release()
  }

  async #look(path: string): Promise<Template | null> {
    try {
      await using archive = await this.#openTemplate(path)
      if (archive === null) return null
      const { size, mtime } = await archive.stat()
      const index = await readArchiveIndex(archive).catch(() => null)
      const about = index?.index.about ?? {}
      const { version = 'unknown', bindir = 'unknown' } = about
      return { path, version, bindir, size, lastUsed: mtime, stale: await isStale(about) }
    } catch {
      return null
    }
  }

  #file(name: string): string {
    return join(this.#directory, name + suffix)
  }

  /** Opens a template if only we can have written it; else gives `null`. */
  async #openTemplate(path: string): Promise<FileHandle | null> {
    // The directory is ours, but root may have put or moved a file of another user there.
    const found = await lstat(path).catch(() => null)
    if (found === null || !found.isFile()) return null
    if (found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0) return null
    return await openPlainFile(path, { follow: false }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  }
}

/** How long to wait for another process that makes the same template, in ms, before going on without it. */
const patience = 60_000

async function noteUse(archive: FileHandle): Promise<void> {
  const { mtime } = await archive.stat()
  const now = new Date()
  if (now.getTime() - mtime.getTime() > day) await archive.utimes(now, now).catch(() => undefined)
}

async function isStale(about: Readonly<Record<string, string>>): Promise<boolean> {
  const { bindir, server, initdb, machine } = about
  if (bindir === undefined) return true
  // Another machine with the same home directory may have other programs at the same path.
  if (machine !== thisMachine()) return false
  const found = await Promise.all(
    ['postgres', 'initdb'].map(
      async (program) => await identityOf(join(bindir, program)).catch(() => null),
    ),
  )
  return found[0] !== server || found[1] !== initdb
}
