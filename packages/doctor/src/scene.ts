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

/** The surroundings of a diagnosis. */
export interface Scene {
  /** Whether the diagnosis covers everything that this user may look into, and not only given clusters. */
  readonly wholeMachine: boolean
  /** The data directories to look at, by their real paths. Each path exists. */
  readonly clusters: readonly DataDirectory[]
  /**
   * The paths of the directories that may be mended. As root we change nothing in places where another user may put a link,
   * unless we were asked to look there, or have used the cluster before.
   */
  readonly own: ReadonlySet<string>
  /** The server processes that work in these directories, or, for the whole machine, anywhere; `null` if they are unknown. */
  readonly processes: readonly PostgresProcess[] | null
  /** The registered servers of howdah's, including ended ones; or the error because of which they are unknown. */
  readonly registered: readonly RegisteredServer[] | { readonly error: unknown }
  readonly strategy: Strategy
}

/**
 * Gathers the surroundings. For the whole machine these are the recorded clusters that howdah has made, started or used here,
 * and running ones.
 *
 * A server in a directory that howdah does not know is ignored, unless its directory is given.
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

/** The clusters that `howdah ls` lists: this user's, and for root those of all users. Unreadable entries are left out. */
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

/** The real paths of the directories that exist and can be data directories. */
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

/** The directory of a running server, if howdah has made or started its cluster. */
async function markedDirectory({ dataDir, place }: PostgresProcess): Promise<string[]> {
  if (place !== 'here') return []
  try {
    return (await readMark(new DataDirectory(dataDir))) === null ? [] : [dataDir]
  } catch {
    return []
  }
}
