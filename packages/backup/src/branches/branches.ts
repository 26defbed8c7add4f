import { existsSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Cluster, EndOptions } from '@howdah/cluster'
import { clusterMissing, insideOf } from '@howdah/cluster/inside'
import { DataDirectory, readIfThere } from '@howdah/data-directory'
import { namesIn } from '@howdah/durable'
import { makeDirectories } from '@howdah/lock'
import {
  branchDirectory,
  branchIn,
  type BranchPlace,
  branchPlaceOf,
  mainBranch,
  problemOfBranch,
} from '@howdah/project'
import { branchRecord, fork } from '../clone/clone.ts'
import type { CloneOptions } from '../clone/clone-options.ts'
import { branchExists, branchMissing, invalidBranch } from '../errors.ts'
import { SavedClusters } from '../saving/saved-clusters.ts'

/** A cluster or one of its branches. */
export interface Branch {
  /** `main` for the cluster itself. */
  readonly name: string
  readonly dataDir: string
  /** The branch that it was copied from; `null` for the cluster itself, and if it is unknown. */
  readonly parent: string | null
  /** When it was made; `null` if it is unknown. */
  readonly at: Date | null
}

/** How to make a branch. */
export type BranchOptions = Omit<CloneOptions, 'to'>

/**
 * The branches of a cluster: copies with names, each a cluster of its own with its own system identifier. The given cluster
 * may be a branch itself, and new branches are copies of it.
 *
 * If a process is killed, a branch exists completely or not at all. The next call removes what the killed one has left.
 */
export class Branches {
  readonly #cluster: Cluster
  readonly #place: BranchPlace

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#place = branchPlaceOf(cluster.dataDir)
  }

  /** The name of the given cluster: `main`, or that of a branch. */
  get current(): string {
    return this.#place.current
  }

  /** The cluster itself and its branches, by name. */
  list(): Branch[] {
    const { main } = this.#place
    const branches = this.#entries()
      .filter(({ dataDir }) => isCluster(dataDir))
      .map(({ name, dataDir }) => branchAt(name, dataDir))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    const itself = { name: mainBranch, dataDir: main, parent: null, at: null }
    return isCluster(main) ? [itself, ...branches] : branches
  }

  /** The cluster of a branch, which need not exist. Throws `ERR_CLUSTER_INVALID_BRANCH` for an impossible name. */
  cluster(name: string, options: { readonly within?: string | undefined } = {}): Cluster {
    if (name !== mainBranch) this.#requireValid(name)
    return insideOf(this.#cluster).another(branchDirectory(this.#place, name), options)
  }

  /**
   * Makes a branch: a copy of the given cluster, which may run and be used meanwhile. The branch has everything that was
   * committed before the call. It is not started.
   *
   * Throws `ERR_CLUSTER_INVALID_BRANCH`, `ERR_CLUSTER_BRANCH_EXISTS`, `ERR_CLUSTER_MISSING`, and the errors of `cloneCluster`.
   */
  async create(name: string, options: BranchOptions = {}): Promise<Branch> {
    this.#requireValid(name)
    const { branches, current } = this.#place
    const to = branchDirectory(this.#place, name)
    if (!(await this.#cluster.exists())) throw clusterMissing(this.#cluster.dataDir)
    await this.#tidy()
    makeDirectories(branches, 0o755, options.within)
    ignoreForGit(branches)
    const record = { parent: current, at: new Date() }
    const how = { ...options, to, record: textOf(record) }
    if ((await fork(this.#cluster, how)) === 'unmodified')
      throw branchExists(this.#cluster.dataDir, name)
    return { name, dataDir: to, ...record }
  }

  /**
   * Drops a branch, but keeps it for 7 days unless `save` is `false`; `SavedClusters` of its data directory brings it back.
   * Other branches that were copied from it stay.
   *
   * Throws `ERR_CLUSTER_BRANCH_MISSING`, and the errors of `Cluster.destroy`, for example if somebody uses the branch.
   */
  async drop(
    name: string,
    { save = true, ...options }: EndOptions & { readonly save?: boolean | undefined } = {},
  ): Promise<void> {
    this.#requireValid(name)
    await this.#tidy()
    this.#find(name)
    const cluster = this.cluster(name)
    if (save) await new SavedClusters(cluster.dataDir).keep(cluster, 'branch drop', options)
    else await cluster.destroy(options)
  }

  /**
   * Replaces a branch by a new copy of the branch that it was copied from. The old one can be used until the new one is
   * complete. Then it is kept for 7 days unless `save` is `false`.
   *
   * Throws `ERR_CLUSTER_BRANCH_MISSING` if the branch or its parent is missing, and the errors of {@link create} and {@link
   * drop}.
   */
  async reset(
    name: string,
    {
      save = true,
      ...options
    }: EndOptions & BranchOptions & { readonly save?: boolean | undefined } = {},
  ): Promise<Branch> {
    const found = this.#find(name)
    const parent = this.#find(found.parent ?? mainBranch)
    const record = { parent: parent.name, at: new Date() }
    const make = async (elsewhere: Cluster) =>
      await fork(insideOf(this.#cluster).another(parent.dataDir), {
        ...options,
        to: elsewhere.dataDir,
        record: textOf(record),
      })
    await new SavedClusters(found.dataDir).replace(this.cluster(name), 'reset', make, {
      ...options,
      save,
    })
    return { ...found, ...record }
  }

  #find(name: string): Branch {
    const all = this.list()
    const found = all.find((one) => one.name === name)
    if (found !== undefined) return found
    const others = all.map((one) => one.name)
    throw branchMissing(this.#cluster.dataDir, name, others)
  }

  /** Removes branches that killed processes have left half made or half removed, unless somebody works on them. */
  async #tidy(): Promise<void> {
    for (const { dataDir } of this.#entries()) {
      if (isCluster(dataDir)) continue
      const cluster = insideOf(this.#cluster).another(dataDir)
      await cluster.destroy({ waitTimeout: 0 }).catch(() => undefined)
      try {
        rmdirSync(dataDir)
      } catch {
        // It is gone already, or somebody works on it.
      }
    }
  }

  /** The directories of branches, also of unfinished ones. */
  #entries(): { readonly name: string; readonly dataDir: string }[] {
    const { branches } = this.#place
    return namesIn(branches).flatMap((fileName) => {
      const name = branchIn(fileName)
      return name === null ? [] : [{ name, dataDir: join(branches, fileName) }]
    })
  }

  #requireValid(name: string): void {
    const problem = problemOfBranch(name)
    if (problem !== null) throw invalidBranch(this.#cluster.dataDir, name, problem)
  }
}

function isCluster(dataDir: string): boolean {
  return existsSync(join(dataDir, 'PG_VERSION'))
}

/** The text of the record of a branch. */
function textOf(record: Pick<Branch, 'parent' | 'at'>): string {
  return `${JSON.stringify(record)}\n`
}

function branchAt(name: string, dataDir: string): Branch {
  return { name, dataDir, ...recordIn(dataDir) }
}

function recordIn(dataDir: string): Pick<Branch, 'parent' | 'at'> {
  try {
    const text = readIfThere(new DataDirectory(dataDir).file(branchRecord)) ?? ''
    const { parent, at } = JSON.parse(text) as Record<string, unknown>
    const date = new Date(String(at))
    return {
      parent: typeof parent === 'string' ? parent : null,
      at: Number.isNaN(date.getTime()) ? null : date,
    }
  } catch {
    return { parent: null, at: null }
  }
}

/** Keeps the branches of a cluster outside of a `.howdah` out of git. */
function ignoreForGit(branches: string): void {
  const above = dirname(branches)
  if (basename(above) !== '.howdah-branches') return
  try {
    writeFileSync(join(above, '.gitignore'), '*\n', { flag: 'wx' })
  } catch {
    // It is there already, or somebody else may see to it.
  }
}
