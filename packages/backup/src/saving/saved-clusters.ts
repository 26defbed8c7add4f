import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Cluster, EndOptions } from '@howdah/cluster'
import { insideOf, inUse, notOurs } from '@howdah/cluster/inside'
import { DataDirectory, findPostmaster, readMark, removeTree } from '@howdah/data-directory'
import { namesIn, publishFile } from '@howdah/durable'
import { beingMade, forgetting, remember, savedPlaceOf } from '@howdah/known-clusters'
import { readPlainFile } from '@howdah/lock'
import { isOld, mostBytes, newId, type SavingLimits } from '@howdah/snapshot'
import { cloneCluster } from '../clone/clone.ts'
import { clearUnfinished, lockSaved, makeItem } from './unfinished.ts'

/** A cluster that was saved before it was destroyed. */
export interface SavedCluster {
  readonly id: string
  /** The name of the command that destroyed it. */
  readonly by: string
  readonly at: Date
  /** The path at which its data directory is kept. */
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
  readonly #mostBytes: number

  constructor(dataDir: string, limits: SavingLimits = {}) {
    this.#name = basename(dataDir)
    this.#place = savedPlaceOf(dataDir)
    this.#mostBytes = limits.mostBytes ?? mostBytes
  }

  /** The saved clusters, newest first. Unreadable ones are left out. */
  list(): SavedCluster[] {
    return this.#all()
      .filter(({ name }) => name === this.#name)
      .toSorted((one, other) => other.at.getTime() - one.at.getTime())
  }

  /**
   * Destroys a cluster and keeps its files, by moving them, or by copying them if they cannot be moved. Throws the errors of
   * both.
   */
  async keep(cluster: Cluster, by: string, options: EndOptions = {}): Promise<SavedCluster> {
    const saved = await this.#moveAway(cluster, by, options)
    await this.expire().catch(() => undefined)
    return saved
  }

  /** Moves it in one step, or copies it first, so that a kill at any instant leaves it in one of the two places. */
  async #moveAway(cluster: Cluster, by: string, options: EndOptions): Promise<SavedCluster> {
    const isMoved = canMove(cluster.dataDir)
    return await this.#filling(cluster, by, !isMoved, async ({ path }, publish) => {
      if (isMoved) {
        await cluster.destroy({ ...options, moveTo: path })
        return
      }
      await cloneCluster(cluster, { to: path, signal: options.signal })
      await publish()
      await cluster.destroy(options)
    })
  }

  /**
   * Puts a saved cluster back in its place. A cluster that is there now is saved first. Throws an error if another process has
   * removed the saved cluster, or brings it back.
   */
  async bringBack(cluster: Cluster, saved: SavedCluster, options: EndOptions = {}): Promise<void> {
    const lock = await lockSaved(saved)
    if (lock === null) throw new Error(`${saved.id} is not saved any more; another process has it`)
    try {
      if ((await findPostmaster(new DataDirectory(saved.path))) !== null)
        throw new Error(`a server runs on ${saved.path}; stop it first`)
      if (await cluster.exists()) await this.#moveAway(cluster, 'undo', options)
      await this.#put(cluster, saved, options)
    } finally {
      lock.release()
    }
    await this.expire().catch(() => undefined)
  }

  /**
   * Replaces a cluster by a new one. `make` makes the new one elsewhere, so the old one can be used until then, and stays if
   * `make` fails. The old one is saved if `save` is set, else destroyed. Throws the errors of `make` and {@link keep}. If the
   * old cluster is in use, or howdah did not create it, this throws before `make` is called.
   */
  async replace<Made>(
    cluster: Cluster,
    by: string,
    make: (elsewhere: Cluster) => Promise<Made>,
    { save = true, ...options }: EndOptions & { readonly save?: boolean | undefined } = {},
  ): Promise<Made> {
    if (options.force !== true) await requireEndable(cluster)
    let made: Made | undefined
    await this.#filling(cluster, by, true, async (fresh) => {
      const { path } = fresh
      // The server of the new cluster runs as the same user.
      const { uid, gid } = statSync(cluster.dataDir)
      mkdirSync(path, { mode: 0o700 })
      if (process.geteuid?.() === 0) chownSync(path, uid, gid)
      made = await make(insideOf(cluster).another(path))
      if (save) await this.#moveAway(cluster, by, options)
      else await cluster.destroy(options)
      await this.#put(cluster, fresh, options)
    })
    await this.expire().catch(() => undefined)
    return made as Made
  }

  /**
   * Removes saved clusters that are too old, or that exceed the total size, and those that killed processes have left
   * unfinished.
   */
  async expire(): Promise<void> {
    await clearUnfinished(this.#place)
    let bytes = 0
    const all = this.#all().toSorted((one, other) => other.at.getTime() - one.at.getTime())
    for (const [index, saved] of all.entries()) {
      const size = sizeOf(saved.path)
      bytes += size
      if (isOld(saved.at) || (index > 0 && bytes > this.#mostBytes)) {
        await this.remove(saved)
        bytes -= size
      }
    }
  }

  /** Removes a saved cluster for good, unless a server runs on it, or another process brings it back. */
  async remove(saved: SavedCluster): Promise<void> {
    using lock = await lockSaved(saved)
    if (lock === null) return
    const server = await findPostmaster(new DataDirectory(saved.path))
    if (server === null) await removeTree(dirname(saved.path))
  }

  /**
   * Makes a place for a cluster and lets `fill` fill it. If that fails, removes the place, unless the cluster was moved there.
   *
   * With `isNew` the place is not listed, and is cleared after a kill, unless `fill` has called `publish`.
   */
  async #filling(
    cluster: Cluster,
    by: string,
    isNew: boolean,
    fill: (saved: SavedCluster, publish: () => Promise<void>) => Promise<void>,
  ): Promise<SavedCluster> {
    const at = new Date()
    const id = newId(at)
    const listed = join(this.#place, id)
    let directory = isNew ? listed + beingMade : listed
    const saved = () => ({ id, by, at, path: join(directory, 'data') })
    // The project's directory itself is not made again if it was removed.
    const lock = await makeItem(directory, dirname(this.#place))
    try {
      const about = { dataDir: this.#name, by, at }
      await publishFile(join(directory, 'saved.json'), `${JSON.stringify(about)}\n`)
      await fill(saved(), async () => {
        await forgetting(new DataDirectory(saved().path), () => {
          renameSync(directory, listed)
          return Promise.resolve()
        })
        directory = listed
      })
      return saved()
    } catch (error) {
      if (await cluster.exists()) await removeTree(directory).catch(() => undefined)
      throw error
    } finally {
      lock.release()
    }
  }

  /** Moves a kept cluster to the data directory, which has none, or copies it if it cannot be moved. */
  async #put(cluster: Cluster, { path }: SavedCluster, { signal }: EndOptions): Promise<void> {
    const { dataDir } = cluster
    const { directory, another, coordination } = insideOf(cluster)
    if (canMove(dataDir)) {
      // An existing directory must be empty.
      if (isThere(dataDir)) rmdirSync(dataDir)
      await forgetting(new DataDirectory(path), async () => await rename(path, dataDir))
      await remember((await coordination()).state, directory)
    } else await cloneCluster(another(path), { to: dataDir, signal })
    await removeTree(dirname(path))
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

/** Throws if the cluster can only be destroyed by force. */
async function requireEndable(cluster: Cluster): Promise<void> {
  const users = await cluster.users()
  if (users.length > 0) throw inUse(cluster.dataDir, users, 'replace')
  const mark = await readMark(insideOf(cluster).directory)
  if (mark?.created !== true) throw notOurs(cluster.dataDir, 'destroy')
}

/** Whether the directory can be moved. A mount point cannot, and a link would be moved without its target. */
function canMove(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return (
    stats === undefined || (!stats.isSymbolicLink() && stats.dev === statSync(dirname(path)).dev)
  )
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The size of a directory on the disk, in bytes. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum
    const stats = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })
    return sum + (stats?.blocks ?? 0) * 512
  }, 0)
}
