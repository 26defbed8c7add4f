import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, clusters } from '@howdah/cluster'
import { drop } from './database/drop.ts'
import { Administrator, type Listed } from './server/administrator.ts'
import { connect, isLost } from './server/connect.ts'
import { givenServer } from './server/given-server.ts'
import { ownServerPrefix, runningServer } from './server/own-servers.ts'
import type { ReachableServer } from './server/test-server.ts'

/** A database or template that was made for tests. */
export interface KnownDatabase {
  readonly name: string
  /** The data directory of its server, or the URL without the password. */
  readonly server: string
  /** `unknown` if its maker was killed before it could label it. */
  readonly state: 'used' | 'ready' | 'kept' | 'template' | 'building' | 'failed' | 'unknown'
  readonly project: string | null
  /** The process that made it, as `pid@host`. */
  readonly user: string | null
  /** The test that uses it. */
  readonly test: string | null
  readonly since: Date | null
  /** Whether a process owns it now. Then it is not dropped. */
  readonly isOwned: boolean
}

/** Where to look: on an existing server, or on all servers that this user has for tests. */
export interface InventoryOptions {
  /** A URL, as `testDatabases` takes it. */
  readonly server?: string | undefined
}

/** The databases and templates that were made for tests, and their owners. */
export async function knownDatabases(options: InventoryOptions = {}): Promise<KnownDatabase[]> {
  const found: KnownDatabase[] = []
  for (const server of await servers(options))
    await whileItRuns(server, async () => {
      const here = await administer(await server.open(), async (administrator) => {
        const described: KnownDatabase[] = []
        for (const one of await administrator.list())
          described.push(await describe(administrator, one, server.name))
        return described
      })
      found.push(...here)
    })
  return found
}

/**
 * Drops databases and templates without an owner, by name or all. Gives the names of the dropped ones. If one of our own
 * servers stays only for kept databases, it is stopped after the last one is dropped, unless somebody uses it.
 */
export async function dropKnownDatabases(
  names: readonly string[] | 'all',
  options: InventoryOptions = {},
): Promise<string[]> {
  const dropped: string[] = []
  for (const server of await servers(options))
    await whileItRuns(server, async () => {
      const kept = await dropOn(await server.open(), names, dropped)
      if (server.dataDir !== null && !kept)
        await new Cluster(server.dataDir).destroy().catch(() => undefined)
    })
  return dropped
}

/** Adds the names of dropped databases to `dropped`. Gives whether a kept database remains. */
async function dropOn(
  server: ReachableServer,
  names: readonly string[] | 'all',
  dropped: string[],
): Promise<boolean> {
  return await administer(server, async (administrator) => {
    const { version } = administrator.facts
    const wanted = (await administrator.list()).filter(
      ({ name }) => names === 'all' || names.includes(name),
    )
    const taken = new Set(await administrator.take(wanted.map(({ name }) => name)))
    for (const one of wanted.filter(({ name }) => taken.has(name))) {
      const client = await connect(server, administrator.facts.database)
      try {
        await drop(client, server, one, version)
        dropped.push(one.name)
      } finally {
        await client.end()
      }
    }
    return (await administrator.list()).some(({ label }) => label?.kind === 'kept')
  })
}

/**
 * Runs `action`. A failure is ignored if our own server has ended meanwhile, because nothing is left of it. A server that is
 * ending refuses connections before its process is gone.
 */
async function whileItRuns({ dataDir }: Found, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (dataDir === null) throw error
    const cluster = new Cluster(dataDir)
    const end = performance.now() + patience
    while ((await cluster.exists()) && (await cluster.running())) {
      if (!isLost(error) || performance.now() > end) throw error
      await sleep(20)
    }
  }
}

/** How many ms a server that has cut our connection may take to be gone. */
const patience = 5_000

/** A server that we are not connected to yet. */
interface Found {
  readonly name: string
  /** The data directory, if it is our own server. */
  readonly dataDir: string | null
  readonly open: () => Promise<ReachableServer>
}

async function servers({ server }: InventoryOptions): Promise<Found[]> {
  if (server !== undefined) {
    const shown = new URL(server)
    shown.password = ''
    return [{ name: shown.href, dataDir: null, open: async () => givenServer(server) }]
  }
  return (await clusters())
    .filter(
      ({ dataDir, status }) =>
        basename(dataDir).startsWith(ownServerPrefix) && status.state === 'running',
    )
    .map(({ dataDir }) => ({
      name: dataDir,
      dataDir,
      open: async () => await runningServer(new Cluster(dataDir)),
    }))
}

async function administer<T>(
  server: ReachableServer,
  action: (administrator: Administrator) => Promise<T>,
): Promise<T> {
  const administrator = await Administrator.connect(server)
  try {
    return await action(administrator)
  } finally {
    await administrator.close()
  }
}

async function describe(
  administrator: Administrator,
  { name, label }: Listed,
  server: string,
): Promise<KnownDatabase> {
  return {
    name,
    server,
    state: label?.kind ?? 'unknown',
    project: label?.project ?? null,
    user: label?.user ?? null,
    test: label?.test ?? null,
    since: label?.at === undefined ? null : new Date(label.at * 1000),
    isOwned: (await administrator.holdersOf(name)).length > 0,
  }
}
