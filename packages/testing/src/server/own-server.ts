import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Cluster, postgres, temporaryDataDir } from '@howdah/cluster'
import {
  type Constraint,
  defaultStrategy,
  describeConstraint,
  parseConstraint,
  type Runtime,
  single,
  type Strategy,
} from '@howdah/runtime'
import type pg from 'pg'
import { TestingError } from '../errors.ts'
import { Administrator } from './administrator.ts'
import { connect } from './connect.ts'
import { ownServerPrefix, runningServer } from './own-servers.ts'
import { saveInBackground } from '../saving/save-in-background.ts'
import { hashOf } from '../template/hash-of.ts'
import { shellCommand } from '../database/shell-command.ts'
import type { TestServer } from './test-server.ts'

/** The options of our own server. */
export interface OwnServerOptions {
  readonly runtime: number | string | Constraint | undefined
  readonly strategy: Strategy | undefined
  readonly settings: Readonly<Record<string, string>> | undefined
  readonly tcp: boolean | undefined
  readonly tls: boolean | undefined
  /** Whether no other process or `testDatabases` may use it. */
  readonly isAlone: boolean
  /** In ms. */
  readonly linger: number | undefined
  /** In ms. */
  readonly timeout: number
  readonly onNotice: (message: string) => void
}

/** The server, and our connection to it if that is open already. */
export interface Joined {
  readonly server: TestServer
  readonly administrator: Administrator | null
}

/**
 * Joins our own server, and starts it if it does not run. All processes that ask for the same PostgreSQL, settings and TCP
 * share it; with `isAlone` nobody else joins it. It lies in memory if there is room, and is removed some seconds after its
 * last user.
 */
export async function joinOwnServer(options: OwnServerOptions): Promise<Joined> {
  const { settings = {}, tcp = false, tls = false, isAlone, timeout, onNotice } = options
  const { linger = isAlone ? 0 : 10_000 } = options
  const runtime = await choose(options)
  const sorted = Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const identity = [
    runtime.bindir,
    runtime.version.toString(),
    tcp,
    ...(tls ? ['tls'] : []),
    ...(isAlone ? [randomUUID()] : []),
    sorted,
  ]
  const hash = hashOf(identity).slice(0, 12)
  const base = `testing ${hashOf(sorted).slice(0, 12)}`
  const place = dirname(await temporaryDataDir())
  const cluster = new Cluster(join(place, ownServerPrefix + hash), {
    strategy: single(runtime),
    onNotice,
  })
  const isQuick = !tcp && !tls && !isAlone
  const connecting = isQuick ? connectAlready(cluster) : Promise.resolve(null)
  const opening = connecting.then(async (client) => client && (await Administrator.on(client)))
  opening.catch(() => undefined)
  // The question is on its way before we go on.
  await setImmediate()
  const joining = cluster.run({
    throwAway: true,
    base,
    linger,
    tcp,
    tls,
    waitTimeout: timeout,
    settings: { max_connections: '500', ...settings },
    admits: isQuick ? async () => (await connecting) !== null : undefined,
  })
  joining.catch(() => undefined)
  const opened = await opening.catch(() => null)
  const session = await joining.catch(async (error: unknown) => {
    await opened?.close()
    throw error
  })
  // If we have started the server, it was an earlier one that has answered.
  const isCurrent = session.started === 'unmodified' && opened?.isLost === false
  if (!isCurrent) await opened?.close()
  const server: TestServer = {
    isOwn: true,
    isShared: !isAlone,
    lingers: linger > 0 && !isAlone,
    administrative: [postgres],
    clientOptions: (database) => session.clientOptions(database),
    url: (database) => session.url(database),
    env: (database) => session.env(database),
    path: (variables) => runtime.path(variables),
    shell: (database) => shellCommand(session.dataDir, database),
    saveTemplates: () => {
      saveInBackground({ dataDir: session.dataDir, bindir: runtime.bindir, base, linger })
    },
    stay: async () => void (await cluster.start()),
    leave: async () => void (await session.leave()),
  }
  return { server, administrator: isCurrent ? opened : null }
}

/** Connects to the server if it runs, while we join it; `null` if there is none, or it does not admit us now. */
async function connectAlready(cluster: Cluster): Promise<pg.Client | null> {
  try {
    return await connect(await runningServer(cluster), postgres)
  } catch {
    return null
  }
}

async function choose({
  runtime,
  strategy = defaultStrategy(),
}: OwnServerOptions): Promise<Runtime> {
  if (runtime === undefined) {
    const found = await strategy.fallback()
    if (found !== null) return found
    const leftOut = (await strategy.diagnose()).map(({ message }) => `; ${message}`).join('')
    throw new TestingError(
      'ERR_TESTING_SERVER',
      `there is no PostgreSQL on this machine; install @howdah/postgres, or name a server by its URL${leftOut}`,
    )
  }
  const constraint = typeof runtime === 'object' ? runtime : parseConstraint(String(runtime))
  const found = await strategy.select(constraint)
  if (found !== null) return found
  const wanted = describeConstraint(constraint)
  const there = (await strategy.runtimes()).map(({ version }) => version.toString())
  throw new TestingError(
    'ERR_TESTING_SERVER',
    `there is no PostgreSQL ${wanted} on this machine` +
      (there.length === 0 ? '' : `, but ${there.join(', ')}`) +
      `; install it with: npx howdah runtimes install ${wanted}`,
  )
}
