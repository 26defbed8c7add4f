import { lstat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Launch } from '@howdah/coordinate'
import { realAsFarAsThere } from '@howdah/durable'
import { identifyProcess, isSameProcess, type Liveness, type ProcessIdentity } from '@howdah/lock'
import type { Allocation, Registry } from '@howdah/registry'
import { backupsAround } from './backups-around.ts'
import { clusterAround } from './cluster-around.ts'
import { DataDirectory, findPostmaster } from '@howdah/data-directory'
import { nested } from './nested.ts'
import type { LocalState } from './local-state.ts'

/**
 * Throws `ERR_CLUSTER_NESTED` if `path` is a cluster's data directory or lies in one, or in what a running server has
 * registered: nothing but that server writes there. The path need not exist, and nothing is made.
 */
export async function refuseNested(path: string): Promise<void> {
  await refuse(resolve(path), realAsFarAsThere(resolve(path)))
}

/** Throws `ERR_CLUSTER_NESTED` for a base backup, or what else lies among backups: a server that runs on it would spoil it. */
export async function refuseBackup({ path }: DataDirectory): Promise<void> {
  refuseBackups(path, dirname(realAsFarAsThere(path)))
}

/**
 * The data directory of a cluster as a scope that its server, and nobody else, may write: registered in the name of the
 * postmaster for as long as that runs. Its name in the registry is the data directory's real path.
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

  /** Throws `ERR_CLUSTER_NESTED` if a server that runs has registered what this cluster would write, or a part of it. */
  async requireFree(): Promise<void> {
    await this.#state.attempt(async () => {
      const { write } = await import('@howdah/registry')
      const name = realAsFarAsThere(this.#directory.path)
      for (const registry of await registries()) {
        const conflicts = await registry.conflicts({ allow: [write(name)] })
        for (const { owner, pid } of conflicts) {
          if (owner !== name && !(await isGone(owner))) {
            throw nested(this.#directory.path, { owner, pid, side: sideOf(name, owner) })
          }
        }
      }
    })
  }

  /** A launch whose server has the scope: it is registered while the server comes up, and {@link Claiming.done} then. */
  claiming(launch: Launch): Claiming {
    const claims: Promise<unknown>[] = []
    return {
      spawn: async (request) => {
        const child = await launch.spawn(request)
        const postmaster = identifyProcess(child.pid ?? 0)
        if (postmaster === null) return child
        const claim = this.#claim(postmaster)
        // `done` tells of it, once the server is up.
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
          // Under the change lock there is no other server on this directory, though that one's end cannot be seen from here.
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

/** How many allocations of the dead may be in the way of one. */
const attempts = 20

/** A launch that registers what it launches. */
interface Claiming extends Launch {
  /** Resolves when that is done. Rejects with `ERR_CLUSTER_NESTED`; the server is to be stopped then. */
  done(): Promise<void>
}

/**
 * The scope of a server that is about to be stopped, to be released when it has ended; `null` if there is none. That of
 * a server that ends otherwise is reclaimed by the next user. Never rejects.
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

/** A server that has registered what it writes. It may have ended since. */
export interface RegisteredServer {
  readonly dataDir: string
  readonly identity: ProcessIdentity
  /** The user who registered it. */
  readonly uid: number
}

/** The servers that howdah has started and that are still registered, whether they run or not: this user's; for root, all. */
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

/** `real` is where the search begins. */
function refuseBackups(path: string, real: string): void {
  const around = backupsAround(real)
  if (around !== null) throw nested(path, { owner: around, pid: null, side: 'in', kind: 'backups' })
}

/** `real` is where the search begins. */
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

/** Where a data directory lies that may not be used together with another. */
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

/** Those that are there: this user's, and for root those of all. */
async function registries(): Promise<Registry[]> {
  const { stateDirectories } = await import('@howdah/store')
  return await Promise.all(stateDirectories().map(async ({ path }) => await registryIn(path)))
}

/** The table of allocations in a state directory. */
export async function registryIn(path: string, probe?: () => Liveness): Promise<Registry> {
  const { Registry } = await import('@howdah/registry')
  // No process that is in it survives a power failure.
  return new Registry({ path: join(path, 'registry.json'), durable: false, probe })
}

async function register(registry: Registry, name: string, owner: ProcessIdentity): Promise<void> {
  const { write } = await import('@howdah/registry')
  await registry.register(name, { allow: [write(name)], process: owner })
}

/** The allocation in the way of one that was to be registered; `null` if the error is about something else. */
async function holderOf(registry: Registry, error: unknown): Promise<Allocation | null> {
  const { RegistryError } = await import('@howdah/registry')
  if (!(error instanceof RegistryError)) return null
  const name = error.allocation ?? error.owner
  return name === undefined ? null : await registry.find(name)
}

/**
 * Whether an allocation is that of a cluster whose data directory is no more. Its server may have run where its end cannot
 * be seen from here, such as in a container that was removed.
 */
export async function isGone(owner: string): Promise<boolean> {
  if (!isAbsolute(owner)) return false
  return await lstat(join(owner, 'PG_VERSION')).then(
    () => false,
    (error: NodeJS.ErrnoException) => ['ENOENT', 'ENOTDIR'].includes(error.code ?? ''),
  )
}
