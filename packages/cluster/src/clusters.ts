import { isAbsolute } from 'node:path'
import { inspect } from '@howdah/lock'
import type { ClusterStatus } from './cluster-status.ts'
import { Cluster } from './cluster.ts'
import { DataDirectory, isStaging, nameOfUserOf } from '@howdah/data-directory'
import { type ClusterUse, type FoundUse, isGone, registryIn, Uses } from '@howdah/known-clusters'

/** A cluster of this machine. */
export interface ListedCluster {
  /** Its real path. */
  readonly dataDir: string
  /** As {@link Cluster.status} has it. */
  readonly status: ClusterStatus | UnknownStatus
  /** Who uses it at this moment, in the order in which they came. */
  readonly users: readonly ClusterUse[]
}

/** It could not be found out what there is. */
export interface UnknownStatus {
  readonly state: 'unknown'
  /** Why. */
  readonly reason: Error
}

/** How clusters are listed. */
export interface ClustersOptions {
  /** Told what could not be read of what is known of them; the others are listed all the same. */
  onNotice?: ((message: string) => void) | undefined
}

/**
 * The clusters of this machine that are known to howdah, and who uses them: those that this user has created, started or
 * used through it, and for root those of all users. By data directory.
 *
 * Where there is a cluster is remembered where state lives (`@howdah/store`), and so is who says to use it; what it is
 * doing is asked from itself, and on Linux the kernel is asked for users who are not listed. What has been destroyed is
 * dropped, and users who were killed are, too. Never rejects because of a single cluster.
 */
export async function clusters({ onNotice }: ClustersOptions = {}): Promise<ListedCluster[]> {
  const { stateDirectories, stateDirectory } = await import('@howdah/store')
  const survey = new Survey(onNotice ?? (() => undefined))
  const places = stateDirectories()
  // It says why there is none, if none can be made.
  if (places.length === 0) await survey.attempt(async () => void stateDirectory())
  const own = process.geteuid?.()
  for (const { path, uid } of places) await survey.look(path, uid === own)
  return await survey.report()
}

/** What is known of a cluster before it is looked at. */
interface Candidate {
  readonly uses: FoundUse[]
  /** Has it forgotten where it is known. */
  readonly forget: (() => Promise<void>)[]
}

/** Gathers what several states know. */
class Survey {
  readonly #candidates = new Map<string, Candidate>()
  readonly #notice: (message: string) => void

  constructor(notice: (message: string) => void) {
    this.#notice = notice
  }

  /** Does one part of the work, and tells if that fails. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#notice(error instanceof Error ? error.message : String(error))
    }
  }

  /** Gathers what one user's state knows. In that of another, nothing is changed. */
  async look(path: string, isOwn: boolean): Promise<void> {
    const uses = await Uses.in(path, { create: isOwn })
    await this.attempt(async () => {
      for (const { dataDir, identity } of uses.known.list()) {
        const { forget } = this.#candidate(dataDir)
        if (isOwn) forget.push(async () => await uses.forget(identity))
      }
    })
    await this.attempt(async () => {
      const found = await uses.list((error) => this.#notice(error.message))
      for (const use of found) this.#candidate(use.dataDir).uses.push(use)
    })
    await this.attempt(async () => {
      for (const { name } of await (await registryIn(path)).list()) {
        // Others may have registered what they write, under names of their own.
        const isCluster = isAbsolute(name) && !isStaging(name) && !(await isGone(name))
        if (isCluster) this.#candidate(name)
      }
    })
  }

  async report(): Promise<ListedCluster[]> {
    const all = await Promise.all([...this.#candidates].map(async (one) => await examine(...one)))
    return all
      .filter((found) => found !== null)
      .toSorted((one, other) => (one.dataDir < other.dataDir ? -1 : 1))
  }

  #candidate(dataDir: string): Candidate {
    const known = this.#candidates.get(dataDir) ?? { uses: [], forget: [] }
    this.#candidates.set(dataDir, known)
    return known
  }
}

/** `null` if there is no cluster any more, nor anybody who says to use it. */
async function examine(
  dataDir: string,
  { uses: found, forget }: Candidate,
): Promise<ListedCluster | null> {
  const uses = await ofTheLiving(dataDir, found)
  if (uses.length === 0 && (await isGone(dataDir))) {
    await Promise.all(forget.map(async (drop) => await drop().catch(() => undefined)))
    return null
  }
  const cluster = new Cluster(dataDir)
  const status = await cluster
    .status()
    .catch((reason: Error): UnknownStatus => ({ state: 'unknown', reason }))
  // Half made, or half removed.
  if (status.state === 'missing' && uses.length === 0) return null
  const others = status.state === 'running' ? await unlisted(cluster, uses) : []
  const users = [...uses, ...others].toSorted((one, other) => timeOf(one) - timeOf(other))
  return { dataDir, status, users }
}

/**
 * Without the uses of containers that were killed: they live only if the use lock is held by others than those that are
 * known to live. They were listed before it is looked at, and who uses a cluster holds it for longer than being listed.
 */
async function ofTheLiving(dataDir: string, found: readonly FoundUse[]): Promise<ClusterUse[]> {
  const living = found.filter(({ lives }) => lives)
  const others = found.filter(({ lives }) => !lives)
  if (others.length === 0 || (await hasOtherHolders(dataDir, living)))
    return found.map(({ use }) => use)
  for (const { drop } of others) await drop().catch(() => undefined)
  return living.map(({ use }) => use)
}

async function hasOtherHolders(dataDir: string, known: readonly FoundUse[]): Promise<boolean> {
  const pids = new Set(known.map(({ use }) => use.pid))
  try {
    const { holders, unseen } = await inspect(new DataDirectory(dataDir).versionFile)
    return unseen !== null || holders.some(({ pid }) => !pids.has(pid))
  } catch {
    // It cannot be told here.
    return true
  }
}

/** Users that the kernel knows, and no state: they may have none, or that of another user. */
async function unlisted(cluster: Cluster, uses: readonly ClusterUse[]): Promise<ClusterUse[]> {
  const listed = new Set(uses.map(({ pid }) => pid))
  const holders = await cluster.users().catch(() => [])
  const others = holders.filter(({ pid }) => !listed.has(pid))
  return await Promise.all(
    others.map(async ({ pid, command }) => ({
      pid,
      command,
      user: await nameOfUserOf(pid),
      since: null,
      database: null,
      how: null,
    })),
  )
}

/** Whose time is not known comes last. */
function timeOf({ since }: ClusterUse): number {
  return since?.getTime() ?? Number.MAX_SAFE_INTEGER
}
