import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { liveness } from '@howdah/lock'
import type { Entry, Store } from '@howdah/store'
import { type ClusterUse, describeUse, readUse, type SavedUse, useSchema } from './cluster-use.ts'
import { type KnownCluster, KnownClusters } from './known-clusters.ts'

/** A use of a cluster. */
export interface FoundUse {
  /** The cluster's real path. */
  readonly dataDir: string
  readonly use: ClusterUse
  /** Whether its process is known to live. For a process in another container this is unknown. */
  readonly lives: boolean
  /** Removes the use from the list, unless the state was opened with `create: false`. */
  readonly drop: () => Promise<void>
}

/** How long to wait for other processes in the same segment, in ms. They need only a moment. */
const patience = { timeout: 1000 } as const

/**
 * The known clusters and their users, in the state of one user. Each cluster has a segment of a store, in which every process
 * that uses the cluster has an entry.
 *
 * It informs people; the use lock decides who still uses a cluster. It is not synced to the disk, because no listed process
 * survives a power failure.
 */
export class Uses {
  readonly known: KnownClusters
  readonly #store: Store<SavedUse>
  readonly #create: boolean
  readonly #identityOf: (path: string) => number

  private constructor(
    state: string,
    create: boolean,
    { Store, maxIdentity, pathIdentity }: typeof import('@howdah/store'),
  ) {
    this.known = new KnownClusters(state)
    this.#create = create
    this.#identityOf = pathIdentity
    this.#store = new Store<SavedUse>(join(state, 'uses'), {
      schema: useSchema,
      identities: { max: maxIdentity },
      durable: false,
      create,
    })
  }

  /** The uses in a state directory. Give `create: false` only to look. It makes no file yet. */
  static async in(
    state: string,
    { create = true }: { create?: boolean | undefined } = {},
  ): Promise<Uses> {
    return new Uses(state, create, await import('@howdah/store'))
  }

  /** Adds this process to the users of a cluster. Destroy the entry to remove it again. */
  async enter(dataDir: string, use: { database: string; tcp: boolean }): Promise<Entry<SavedUse>> {
    const cluster = this.locate(dataDir)
    const segment = await this.#store.segment(cluster.identity, patience)
    return await segment.save(describeUse(cluster.dataDir, use), patience)
  }

  /** Lists the cluster even while nobody uses it. */
  remember(dataDir: string): void {
    this.known.add(this.locate(dataDir))
  }

  /** Removes the entries of killed processes. */
  async reap(dataDir: string): Promise<void> {
    const segment = await this.#store.segment(this.locate(dataDir).identity, patience)
    await segment.reap(patience)
  }

  /**
   * Everybody who uses a cluster and may live. What killed users have left is removed, unless this only looks.
   *
   * `tell` is told of what cannot be read, which ends nothing. Rejects if the store cannot be read at all.
   */
  async list(tell: (error: Error) => void): Promise<FoundUse[]> {
    const found: FoundUse[] = []
    for (const { identity } of await this.#store.segments(patience)) {
      if (identity !== null && this.#create) await this.#tidy(identity).catch(() => undefined)
    }
    for await (const entry of this.#store.all(patience)) {
      if (entry.error !== null) {
        tell(entry.error)
        continue
      }
      const state = liveness(entry.process)
      if (state === 'dead') continue
      found.push({
        dataDir: entry.state.dataDir,
        use: readUse(entry.process, entry.state),
        lives: state === 'alive',
        drop: async () => {
          if (this.#create) await entry.entry.destroy()
        },
      })
    }
    return found
  }

  /** Removes a cluster that is gone from the list, except the entries of living users. */
  async forget(identity: number): Promise<void> {
    this.known.remove(identity)
    await this.#store.discard(identity, patience)
  }

  async #tidy(identity: number): Promise<void> {
    await (await this.#store.segment(identity, patience)).reap(patience)
    await this.#store.discard(identity, patience)
  }

  /** Throws if the directory does not exist. */
  locate(dataDir: string): KnownCluster {
    return { identity: this.#identityOf(dataDir), dataDir: realpathSync.native(dataDir) }
  }
}
