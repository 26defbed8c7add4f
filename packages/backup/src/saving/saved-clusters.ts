import { lstatSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Cluster, EndOptions } from '@howdah/cluster'
import { DataDirectory, findPostmaster, removeTree } from '@howdah/data-directory'
import { publishFile } from '@howdah/durable'
import { makeDirectories, readPlainFile } from '@howdah/lock'
import { cloneCluster } from '../clone/clone.ts'
import { isOld, mostBytes, newId } from './keeping.ts'

/** A cluster that was saved before it was destroyed. */
export interface SavedCluster {
  readonly id: string
  /** What destroyed it: the name of a command. */
  readonly by: string
  readonly at: Date
  /** Its data directory, as it is kept. */
  readonly path: string
}

/**
 * The clusters of one data directory that were saved before they were destroyed. They lie in `saved` beside it if it lies in
 * a `.howdah`, otherwise in `.howdah-saved` beside it, and are removed after 7 days, or when they are more than 1 GiB
 * together; the newest one stays for 7 days in any case.
 */
export class SavedClusters {
  readonly #name: string
  readonly #place: string

  constructor(dataDir: string) {
    const above = dirname(dataDir)
    this.#name = basename(dataDir)
    this.#place = join(above, basename(above) === '.howdah' ? 'saved' : '.howdah-saved')
  }

  /** The newest first. What cannot be read is left out. */
  list(): SavedCluster[] {
    return this.#all()
      .filter(({ name }) => name === this.#name)
      .toSorted((one, other) => other.at.getTime() - one.at.getTime())
  }

  /** Destroys a cluster, and keeps what it was. Moves it, and copies it only if it cannot be moved. Throws as both do. */
  async keep(cluster: Cluster, by: string, options: EndOptions = {}): Promise<SavedCluster> {
    const at = new Date()
    const id = newId(at)
    const directory = join(this.#place, id)
    const path = join(directory, 'data')
    makeDirectories(directory, 0o755)
    try {
      const about = { dataDir: this.#name, by, at }
      await publishFile(join(directory, 'saved.json'), `${JSON.stringify(about)}\n`)
      if (canMove(cluster.dataDir)) await cluster.destroy({ ...options, keepAt: path })
      else {
        await cloneCluster(cluster, { to: path, signal: options.signal })
        await cluster.destroy(options)
      }
    } catch (error) {
      if (!isThere(path)) await removeTree(directory).catch(() => undefined)
      throw error
    }
    await this.expire().catch(() => undefined)
    return { id, by, at, path }
  }

  /** Puts a saved cluster back in its place. One that is there now is saved first. */
  async bringBack(cluster: Cluster, saved: SavedCluster, options: EndOptions = {}): Promise<void> {
    if ((await findPostmaster(new DataDirectory(saved.path))) !== null)
      throw new Error(`a server runs on ${saved.path}; stop it first`)
    if (await cluster.exists()) await this.keep(cluster, 'undo', options)
    // It has to be empty.
    if (isThere(cluster.dataDir)) rmdirSync(cluster.dataDir)
    await rename(saved.path, cluster.dataDir)
    await removeTree(dirname(saved.path))
  }

  /** Removes those that are too old, or too large together. */
  async expire(): Promise<void> {
    let bytes = 0
    const all = this.#all().toSorted((one, other) => other.at.getTime() - one.at.getTime())
    for (const [index, saved] of all.entries()) {
      const size = sizeOf(saved.path)
      bytes += size
      if (isOld(saved.at) || (index > 0 && bytes > mostBytes)) {
        await this.remove(saved)
        bytes -= size
      }
    }
  }

  /** Removes one of them for good, unless a server runs on it. */
  async remove({ path }: SavedCluster): Promise<void> {
    if ((await findPostmaster(new DataDirectory(path))) === null) await removeTree(dirname(path))
  }

  #all(): (SavedCluster & { readonly name: string })[] {
    return namesIn(this.#place).flatMap((id) => {
      const path = join(this.#place, id, 'data')
      try {
        const text = readPlainFile(join(this.#place, id, 'saved.json'))
        const { dataDir, by, at } = JSON.parse(text) as Record<string, unknown>
        const date = new Date(String(at))
        if (Number.isNaN(date.getTime()) || !isThere(join(path, 'PG_VERSION'))) return []
        return [{ id, name: String(dataDir), by: String(by), at: date, path }]
      } catch {
        return []
      }
    })
  }
}

/** A mount point cannot be moved, and a link is not what it leads to. */
function canMove(path: string): boolean {
  const stats = lstatSync(path)
  return !stats.isSymbolicLink() && stats.dev === statSync(dirname(path)).dev
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** In bytes, on the disk. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum
    const stats = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })
    return sum + (stats?.blocks ?? 0) * 512
  }, 0)
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
