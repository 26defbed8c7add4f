import { isAbsolute } from 'node:path'
import { inspect } from '@howdah/lock'
import { DataDirectory, explained, isStaging, nameOfUserOf } from '@howdah/data-directory'
import type { ClusterUse } from './cluster-use.ts'
import { type ClusterStatus, statusOf } from './cluster-status.ts'
import { knownUsersOf } from './users-of.ts'
import { type FoundUse, Uses } from './uses.ts'
import { isGone, registryIn } from './write-scope.ts'

/** A cluster of this machine. */
export interface ListedCluster {
  /** The real path of its data directory. */
  readonly dataDir: string
  /** The result of {@link statusOf}. */
  readonly status: ClusterStatus | UnknownStatus
  /** Its present users, in the order in which they joined. */
  readonly users: readonly ClusterUse[]
}

/** The state of the cluster is unknown. */
export interface UnknownStatus {
  readonly state: 'unknown'
  /** Why. */
  readonly reason: Error
}

/** How to list clusters. */
export interface ClustersOptions {
  /** Called with the errors of unreadable state. The other clusters are still listed. */
  onNotice?: ((message: string) => void) | undefined
}

/**
 * The clusters of this machine that howdah knows, with their users, sorted by data directory. Howdah knows the clusters that
 * this user has created, started or used through it; root gets those of all users.
 *
 * The paths of clusters and their listed users come from the state directory (`@howdah/store`). The status of each cluster is
 * looked up, and on Linux the kernel is asked for users that are not listed. Destroyed clusters and killed users are removed
 * from the state. It never rejects because of a single cluster.
 */
export async function clusters({ onNotice }: ClustersOptions = {}): Promise<ListedCluster[]> {
  const { stateDirectories, stateDirectory } = await import('@howdah/store')
  const survey = new Survey(onNotice ?? (() => undefined))
  const places = stateDirectories()
  // Reports why there is no state directory, if none can be made.
  if (places.length === 0) await survey.attempt(async () => void stateDirectory())
  const own = process.geteuid?.()
  for (const { path, uid } of places) await survey.look(path, uid === own)
  return await survey.report()
}

/** The known facts about a cluster before its status is looked up. */
interface Candidate {
  readonly uses: FoundUse[]
  /** Functions that remove the cluster from the states that know it. */
  readonly forget: (() => Promise<void>)[]
}

/** Gathers the knowledge of several states. */
class Survey {
  readonly #candidates = new Map<string, Candidate>()
  readonly #notice: (message: string) => void

  constructor(notice: (message: string) => void) {
    this.#notice = notice
  }

  /** Runs a part of the work, and reports if it fails. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#notice(error instanceof Error ? error.message : String(error))
    }
  }

  /** Gathers the knowledge of one user's state. The state of another user is not changed. */
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
        // The registry may contain allocations of other programs, under other names.
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

/** Looks at a candidate. `null` if there is no cluster any more and no listed user. */
async function examine(
  dataDir: string,
  { uses: found, forget }: Candidate,
): Promise<ListedCluster | null> {
  const uses = await ofTheLiving(dataDir, found)
  if (uses.length === 0 && (await isGone(dataDir))) {
    await Promise.all(forget.map(async (drop) => await drop().catch(() => undefined)))
    return null
  }
  const directory = new DataDirectory(dataDir)
  const status = await explained(dataDir, async () => await statusOf(directory)).catch(
    (reason: Error): UnknownStatus => ({ state: 'unknown', reason }),
  )
  // It is a half-made or half-removed cluster.
  if (status.state === 'missing' && uses.length === 0) return null
  const others = status.state === 'running' ? await unlisted(directory, uses) : []
  const users = [...uses, ...others].toSorted((one, other) => timeOf(one) - timeOf(other))
  return { dataDir, status, users }
}

/**
 * Removes the uses of killed containers. Processes of other containers live only if the use lock has more holders than the
 * processes that are known to live. The uses were listed before the lock is looked at, and a process holds the lock for
 * longer than it is listed.
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
    // This is unknown here.
    return true
  }
}

/** Users that the kernel knows but no state lists, for example because they have no state or belong to another user. */
async function unlisted(
  directory: DataDirectory,
  uses: readonly ClusterUse[],
): Promise<ClusterUse[]> {
  const listed = new Set(uses.map(({ pid }) => pid))
  const holders = await knownUsersOf(directory)
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

/** The start of a use. Uses with an unknown time come last. */
function timeOf({ since }: ClusterUse): number {
  return since?.getTime() ?? Number.MAX_SAFE_INTEGER
}
