import { realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Strategy } from '@howdah/runtime'
import { DataDirectory } from '../data-directory.ts'
import { readMark } from '../mark.ts'
import { type PostgresProcess, postgresProcesses } from '../postgres-processes.ts'
import { type RegisteredServer, registeredServers } from '../write-scope.ts'

/** What a diagnosis is about. */
export interface Scene {
  /** Whether it is about everything here that this user may look into, and not about certain clusters alone. */
  readonly wholeMachine: boolean
  /** The data directories to look at, by their real paths; there is something at each. */
  readonly clusters: readonly DataDirectory[]
  /** The servers' processes that work in them, or, on the whole machine, anywhere; `null` where that is not told. */
  readonly processes: readonly PostgresProcess[] | null
  /** The servers of howdah's, those that have ended among them, or why it cannot be told which they are. */
  readonly registered: readonly RegisteredServer[] | { readonly error: unknown }
  readonly strategy: Strategy
}

/**
 * Looks around. On the whole machine: at the clusters of howdah's whose servers run, or have registered here.
 *
 * A server that runs in a directory that howdah knows nothing of is none of its business, unless it is asked for.
 */
export async function survey(
  dataDirs: readonly string[],
  wholeMachine: boolean,
  strategy: Strategy,
): Promise<Scene> {
  const [all, registered] = await Promise.all([
    postgresProcesses(),
    registeredServers().catch((error: unknown) => ({ error })),
  ])
  const asked = await Promise.all(dataDirs.map(realDirectory))
  const paths = new Set(asked.filter((path) => path !== null))
  const given = new Set([...paths, ...dataDirs.map((path) => new DataDirectory(path).path)])
  if (wholeMachine) {
    const servers = 'error' in registered ? [] : registered
    const known = servers.map(({ dataDir }) => dataDir).filter((path) => isAbsolute(path))
    const marked = await Promise.all((all ?? []).map(markedDirectory))
    for (const path of await Promise.all([...known, ...marked].map(realDirectory))) {
      if (path !== null) paths.add(path)
    }
  }
  const processes = wholeMachine ? all : (all?.filter(({ dataDir }) => given.has(dataDir)) ?? null)
  const clusters = [...paths].toSorted().map((path) => new DataDirectory(path))
  return { wholeMachine, clusters, processes, registered, strategy }
}

/** `null` where there is nothing, or what cannot be a data directory. */
async function realDirectory(path: string | null): Promise<string | null> {
  if (path === null) return null
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : path,
  )
  return real === null || /[\0\r\n\uFFFD]/.test(real) ? null : real
}

async function markedDirectory({ dataDir, removed }: PostgresProcess): Promise<string | null> {
  if (removed) return null
  try {
    return (await readMark(new DataDirectory(dataDir))) === null ? null : dataDir
  } catch {
    return null
  }
}
