import { realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Strategy } from '@howdah/runtime'
import {
  DataDirectory,
  type PostgresProcess,
  postgresProcesses,
  readMark,
} from '@howdah/data-directory'
import { type RegisteredServer, registeredServers, Uses } from '@howdah/known-clusters'

/** What a diagnosis is about. */
export interface Scene {
  /** Whether it is about everything here that this user may look into, and not about certain clusters alone. */
  readonly wholeMachine: boolean
  /** The data directories to look at, by their real paths; there is something at each. */
  readonly clusters: readonly DataDirectory[]
  /**
   * Those that may be mended, by their paths. As root, we do not remove or close anything where another user may put a link
   * in our way, unless we were asked to go there, or have been there.
   */
  readonly own: ReadonlySet<string>
  /** The servers' processes that work in them, or, on the whole machine, anywhere; `null` if that is not told. */
  readonly processes: readonly PostgresProcess[] | null
  /** The servers of howdah's, those that have ended among them, or why it cannot be told which they are. */
  readonly registered: readonly RegisteredServer[] | { readonly error: unknown }
  readonly strategy: Strategy
}

/**
 * Looks around. On the whole machine: at the clusters that howdah has made, started or used here, as it has noted down, and
 * those that run.
 *
 * A server that runs in a directory that howdah knows nothing of is none of its business, unless it is asked for.
 */
export async function survey(
  dataDirs: readonly string[],
  wholeMachine: boolean,
  strategy: Strategy,
): Promise<Scene> {
  const [asked, registered, remembered] = await Promise.all([
    realDirectories(dataDirs.map((path) => new DataDirectory(path).path)),
    registeredServers().catch((error: unknown) => ({ error })),
    rememberedClusters(),
  ])
  const started = 'error' in registered ? [] : registered
  const places = [...started, ...remembered].map(({ dataDir }) => dataDir)
  const all = await postgresProcesses([...places, ...asked]).catch(() => null)
  const own = new Set(asked)
  const paths = new Set(asked)
  if (wholeMachine) {
    const known = [...started, ...remembered]
    const marked = await Promise.all((all ?? []).map(markedDirectory))
    const self = process.geteuid?.()
    const ours = known.filter(({ uid }) => uid === self).map(({ dataDir }) => dataDir)
    for (const path of await realDirectories(ours)) own.add(path)
    const others = [...known.map(({ dataDir }) => dataDir), ...marked.flat()]
    for (const path of await realDirectories(others)) {
      paths.add(path)
      // What is not ours does not let us.
      if (self !== 0) own.add(path)
    }
    for (const path of own) paths.add(path)
  }
  const given = new Set([...asked, ...dataDirs.map((path) => new DataDirectory(path).path)])
  const processes = wholeMachine ? all : (all?.filter(({ dataDir }) => given.has(dataDir)) ?? null)
  const clusters = [...paths].toSorted().map((path) => new DataDirectory(path))
  return { wholeMachine, clusters, own, processes, registered, strategy }
}

/** What `howdah ls` lists, too: of this user, and for root of all. Without what cannot be read. */
async function rememberedClusters(): Promise<{ readonly dataDir: string; readonly uid: number }[]> {
  const { stateDirectories } = await import('@howdah/store')
  const found = await Promise.all(
    stateDirectories().map(async ({ path, uid }) => {
      try {
        const { known } = await Uses.in(path, { create: false })
        return known.list().map(({ dataDir }) => ({ dataDir, uid }))
      } catch {
        return []
      }
    }),
  )
  return found.flat()
}

/** Without those where there is nothing, or what cannot be a data directory. */
async function realDirectories(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(
    paths.filter((path) => isAbsolute(path)).map(async (path) => await realDirectory(path)),
  )
  return real.filter((path) => path !== null)
}

async function realDirectory(path: string): Promise<string | null> {
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : path,
  )
  return real === null || /[\0\r\n\uFFFD]/.test(real) ? null : real
}

/** Where a server works that howdah has made or started the cluster of. */
async function markedDirectory({ dataDir, place }: PostgresProcess): Promise<string[]> {
  if (place !== 'here') return []
  try {
    return (await readMark(new DataDirectory(dataDir))) === null ? [] : [dataDir]
  } catch {
    return []
  }
}
