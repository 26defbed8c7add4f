import { lstat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Launch } from '@howdah/coordinate'
import { realAsFarAsThere } from '@howdah/durable'
import { identifyProcess, isSameProcess, type Liveness, type ProcessIdentity } from '@howdah/lock'
import type { Allocation, Registry } from '@howdah/registry'
import { backupsAround } from './backups-around.ts'
import { clusterAround } from './cluster-around.ts'
import { DataDirectory, findPostmaster } from '@howdah/data-directory'
import { endMoved } from './end-moved.ts'
import { nested } from './nested.ts'
import type { LocalState } from './local-state.ts'

/**
 * Throws `ERR_CLUSTER_NESTED` if `path` is a cluster's data directory, or lies in one or in a directory that a running server
 * has registered, because only that server may write there. The path need not exist, and nothing is made.
 */
export async function refuseNested(path: string): Promise<void> {
  await refuse(resolve(path), realAsFarAsThere(resolve(path)))
}

/**
 * Throws `ERR_CLUSTER_NESTED` if the directory is a base backup or lies among backups, because a server that runs on it
 * would spoil it.
 */
export async function refuseBackup({ path }: DataDirectory): Promise<void> {
  refuseBackups(path, dirname(realAsFarAsThere(path)))
}

/**
 * The data directory of a cluster as a scope that only its server may write. It is registered for the postmaster for as long
 * as that runs. Its name in the registry is the real path of the data directory.
 */
export class WriteScope {
  readonly #directory: DataDirectory
  readonly #state: LocalState

  constructor(directory: DataDirectory, state: LocalState) {
    this.#directory = directory
    this.#state = state
  }

  /** Throws `ERR_CLUSTER_NESTED` if a new cluster would lie in another's data directory, or among backups. */
  async requireOutside(): Promise<void> {
    const { path } = this.#directory
    const above = dirname(realAsFarAsThere(path))
    refuseBackups(path, above)
    await refuse(path, above)
  }

  /**
   * Throws `ERR_CLUSTER_NESTED` if a running server has registered this data directory or a part of it. If a server was started
   * at this path and its directory was moved since, that server is ended.
   */
  async requireFree(): Promise<void> {
    await this.#state.attempt(async () => {
      const { write } = await import('@howdah/registry')
      const name = realAsFarAsThere(this.#directory.path)
      for (const registry of await registries()) {
        const conflicts = await registry.conflicts({ allow: [write(name)] })
        for (const { owner, pid } of conflicts) {
          if (owner === name) await endMoved(this.#directory.path, await registry.find(name))
          else if (!(await isGone(owner))) {
            throw nested(this.#directory.path, { owner, pid, side: sideOf(name, owner) })
          }
        }
      }
    })
  }

  /**
   * A launch that registers the scope for its server. The registration runs while the server starts, and `done`
   * waits for it.
   */
  claiming(launch: Launch): Claiming {
    const claims: Promise<unknown>[] = []
    return {
      spawn: async (request) => {
        const child = await launch.spawn(request)
        const postmaster = identifyProcess(child.pid ?? 0)
        if (postmaster === null) return child
        const claim = this.#claim(postmaster)
        // `done` reports an error, once the server is up.
        claim.catch(() => undefined)
        claims.push(claim)
        return child
      },
      done: async () => {
        await Promise.all(claims)
      },
    }
  }

  async #claim(postmaster: ProcessIdentity): Promise<void> {
    await this.#state.attempt(async (path) => {
      const registry = await registryIn(path)
      const name = realAsFarAsThere(this.#directory.path)
      for (let left = attempts; ; left -= 1) {
        try {
          await register(registry, name, postmaster)
          return
        } catch (error) {
          const holder = await holderOf(registry, error)
          // Under the change lock no other server runs on this directory, so a holder with the same name is over, even if its
          // end cannot be seen from here.
          const isOver = holder !== null && (holder.name === name || (await isGone(holder.name)))
          if (isOver && left > 0) await registry.release(holder.name, holder.token)
          else if (holder === null) throw error
          else {
            const { name: owner, pid } = holder
            throw nested(this.#directory.path, { owner, pid, side: sideOf(name, owner) })
          }
        }
      }
    })
  }
}

/** How many allocations of dead servers may be in the way. */
const attempts = 20

/** A launch that registers the launched server. */
interface Claiming extends Launch {
  /** Resolves when the registration is done. Rejects with `ERR_CLUSTER_NESTED`; then stop the server. */
  done(): Promise<void>
}

/**
 * The scope of a server that is about to be stopped; `null` if there is none. Release it after the server has ended. If a
 * server ends otherwise, the next user reclaims its scope. Never rejects.
 */
export async function scopeOf(
  directory: DataDirectory,
  postmaster: ProcessIdentity,
): Promise<{ release(): Promise<void> } | null> {
  try {
    const { stateDirectory } = await import('@howdah/store')
    const registry = await registryIn(stateDirectory())
    const found = await registry.find(realAsFarAsThere(directory.path))
    if (found === null || !isSameProcess(found, postmaster)) return null
    return {
      release: async () =>
        void (await registry.release(found.name, found.token).catch(() => undefined)),
    }
  } catch {
    return null
  }
}

/** A server that has registered its data directory. It may have ended since. */
export interface RegisteredServer {
  readonly dataDir: string
  readonly identity: ProcessIdentity
  /** The uid of the user who registered it. */
  readonly uid: number
}

/**
 * The registered servers that howdah has started, whether they still run or not: this user's, or for root those of all
 * users.
 */
export async function registeredServers(): Promise<RegisteredServer[]> {
  const { stateDirectories } = await import('@howdah/store')
  const found = await Promise.all(
    stateDirectories().map(async ({ path, uid }) => {
      const registry = await registryIn(path, () => 'alive')
      return (await registry.list()).map(({ name, ...identity }) => ({
        dataDir: name,
        identity,
        uid,
      }))
    }),
  )
  return found.flat()
}

/** Throws if `real` lies among backups. */
function refuseBackups(path: string, real: string): void {
  const around = backupsAround(real)
  if (around !== null) throw nested(path, { owner: around, pid: null, side: 'in', kind: 'backups' })
}

/** Throws if `real` lies in a cluster. */
async function refuse(path: string, real: string): Promise<void> {
  const around = await clusterAround(real)
  if (around !== null) {
    const postmaster = await findPostmaster(new DataDirectory(around)).catch(() => null)
    const pid = postmaster?.identity.pid ?? null
    throw nested(path, { owner: around, pid, side: 'in' })
  }
  const owner = await registeredOwner(real).catch(() => null)
  if (owner !== null) throw nested(path, { owner: owner.name, pid: owner.pid, side: 'in' })
}

/** On which side of a conflicting directory a data directory lies. */
function sideOf(name: string, owner: string): 'in' | 'around' {
  return owner.startsWith(`${name}/`) ? 'around' : 'in'
}

async function registeredOwner(path: string): Promise<Allocation | null> {
  for (const registry of await registries()) {
    const owner = await registry.ownerOf(path)
    if (owner !== null && !(await isGone(owner.name))) return owner
  }
  return null
}

/** The existing registries: this user's, and for root those of all users. */
async function registries(): Promise<Registry[]> {
  const { stateDirectories } = await import('@howdah/store')
  return await Promise.all(stateDirectories().map(async ({ path }) => await registryIn(path)))
}

/** The table of allocations in a state directory. */
export async function registryIn(path: string, probe?: () => Liveness): Promise<Registry> {
  const { Registry } = await import('@howdah/registry')
  // It is not synced, because no registered process survives a power failure.
  return new Registry({ path: join(path, 'registry.json'), durable: false, probe })
}

async function register(registry: Registry, name: string, owner: ProcessIdentity): Promise<void> {
  const { write } = await import('@howdah/registry')
  await registry.register(name, { allow: [write(name)], process: owner })
}

/** The allocation that prevented a registration; `null` if the error has another reason. */
async function holderOf(registry: Registry, error: unknown): Promise<Allocation | null> {
  const { RegistryError } = await import('@howdah/registry')
  if (!(error instanceof RegistryError)) return null
  const name = error.allocation ?? error.owner
  return name === undefined ? null : await registry.find(name)
}

/**
 * Whether an allocation belongs to a removed data directory. Its server may have run where its end could not be seen, for
 * example in a container that was removed.
 */
export async function isGone(owner: string): Promise<boolean> {
  if (!isAbsolute(owner)) return false
  return await lstat(join(owner, 'PG_VERSION')).then(
    () => false,
    (error: NodeJS.ErrnoException) => ['ENOENT', 'ENOTDIR'].includes(error.code ?? ''),
  )
}
