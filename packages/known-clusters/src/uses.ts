import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { liveness } from '@howdah/lock'
import type { Entry, Store } from '@howdah/store'
import { type ClusterUse, describeUse, readUse, type SavedUse, useSchema } from './cluster-use.ts'
import { type KnownCluster, KnownClusters } from './known-clusters.ts'

/** One use of a cluster. */
export interface FoundUse {
  /** The cluster's real path. */
  readonly dataDir: string
  readonly use: ClusterUse
  /** Whether its process is known to live: of one in another container that cannot be told. */
  readonly lives: boolean
  /** Takes it off the list, unless one only looks. */
  readonly drop: () => Promise<void>
}

/** In ms: how long to wait for processes that look into the same segment, which takes them a moment. */
const patience = { timeout: 1000 } as const

/**
 * Who uses which cluster, and which clusters there are, as one user's state has it: each cluster has a segment of a store,
 * in which every process that uses it has an entry.
 *
 * It is for people: the use lock decides who is left. None of it is synced to the disk, because no process in it survives a
 * power failure.
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

  /** Those in a state directory; with `create: false` one only looks. Makes nothing yet. */
  static async in(
    state: string,
    { create = true }: { create?: boolean | undefined } = {},
  ): Promise<Uses> {
    return new Uses(state, create, await import('@howdah/store'))
  }

  /** Adds this process to the users of a cluster; destroying the entry takes it away again. */
  async enter(dataDir: string, use: { database: string; tcp: boolean }): Promise<Entry<SavedUse>> {
    const cluster = this.locate(dataDir)
    const segment = await this.#store.segment(cluster.identity, patience)
    return await segment.save(describeUse(cluster.dataDir, use), patience)
  }

  /** Has it listed also while nobody uses it. */
  remember(dataDir: string): void {
    this.known.add(this.locate(dataDir))
  }

  /** Removes what processes left that were killed. */
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

  /** Removes what is there of a cluster that is gone, except the entries of living users. */
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
