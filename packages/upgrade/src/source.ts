import { statSync } from 'node:fs'
import { postgres, Server } from '@howdah/cluster'
import { type Coordination, findAddress, inUse, type LaunchOptions } from '@howdah/cluster/inside'
import { type Exclusive, ownership, readRecord } from '@howdah/coordinate'
import { findPostmaster, type HowStarted, howStarted } from '@howdah/data-directory'
import { knownUsersOf } from '@howdah/known-clusters'
import type { Runtime } from '@howdah/runtime'
import type pg from 'pg'
import { unsupported } from './errors.ts'
import type { UpgradeOptions } from './options.ts'
import { UpgradePlace } from './place/upgrade-place.ts'

/** How the server of the old cluster ran, if it is to run again after the upgrade. */
export interface Pinned extends HowStarted {
  readonly perishes: boolean
}

/** Options of our own connections, which count more than settings of a role or a database. */
export const undisturbed =
  '-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off -c DateStyle=ISO -c TimeZone=UTC'

/** The old cluster, which nobody else can use meanwhile. */
export class Source implements AsyncDisposable {
  readonly coordination: Coordination
  readonly runtime: Runtime
  /** How its server ran if it was pinned; `null` if it was not. */
  readonly pinned: Pinned | null
  readonly #exclusive: Exclusive<LaunchOptions>
  readonly #settings: Readonly<Record<string, string>>
  #server: Server | null = null

  private constructor(
    coordination: Coordination,
    runtime: Runtime,
    exclusive: Exclusive<LaunchOptions>,
    pinned: Pinned | null,
    settings: Readonly<Record<string, string>> = {},
  ) {
    this.coordination = coordination
    this.runtime = runtime
    this.#exclusive = exclusive
    this.pinned = pinned
    // If we are killed, others may join this server, so it has the settings that it has otherwise, too.
    this.#settings = { ...pinned?.settings, ...settings, ...withoutSubscriptions(coordination) }
  }

  /**
   * Takes the cluster for us alone, and stops its server. Throws `ERR_CLUSTER_IN_USE` if somebody uses it or is connected, and
   * `ERR_UPGRADE_UNSUPPORTED` if howdah has not started its server.
   */
  static async take(coordination: Coordination, options: UpgradeOptions): Promise<Source> {
    const { directory, free } = coordination
    const runtime = await coordination.runtime()
    const { waitTimeout: timeout, signal, onWait } = options
    const exclusive = await free.tryChange({ timeout, signal, onWait, ifExists: true })
    const cure = 'wait until they have left'
    if (exclusive === null)
      throw inUse(directory.path, await knownUsersOf(directory), 'upgrade', cure)
    try {
      const pinned = await requireQuiet(coordination, runtime)
      const source = new Source(coordination, runtime, exclusive, pinned, options.settings)
      await exclusive.stop()
      return source
    } catch (error) {
      exclusive.release()
      throw error
    }
  }

  get path(): string {
    return this.coordination.directory.path
  }

  /** Its server, which is started if it does not run. It ends if we are killed and nobody else uses it. */
  async server(): Promise<Server> {
    if (this.#server !== null) return this.#server
    await this.#exclusive.start({ start: { settings: this.#settings } })
    const { directory } = this.coordination
    const address = await findAddress(directory, false)
    return (this.#server = new Server(directory.path, this.runtime, address, postgres))
  }

  async stop(): Promise<void> {
    this.#server = null
    await this.#exclusive.stop()
  }

  /** Runs an action with the change lock of the data directory. */
  async locked<Result>(
    action: (lock: { readonly fd: number }) => Promise<Result>,
  ): Promise<Result> {
    return await this.#exclusive.reconfigure(async (_, change) => await action(change))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#server !== null) await this.stop()
    } finally {
      this.#exclusive.release()
    }
  }
}

/** Throws if the running server is not ours, or has clients. Gives how it was started if it is pinned. */
async function requireQuiet(
  { directory, free }: Coordination,
  runtime: Runtime,
): Promise<Pinned | null> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) return null
  // A killed pg_upgrade has left it.
  const { making } = new UpgradePlace(directory.path)
  if (postmaster.file.socketDirectory?.startsWith(`${making}/`) === true) return null
  const { paths, subject } = free
  const owner = await ownership(paths, subject)
  if (owner === 'none') return null
  if (owner === 'foreign') {
    const why = `howdah did not start the server that runs on it; stop that, and upgrade again`
    throw unsupported(directory.path, why)
  }
  const server = new Server(directory.path, runtime, await findAddress(directory, false), postgres)
  const clients = await clientsOf(server)
  if (clients.length > 0) {
    const cure = 'wait until they have disconnected, or end them with: howdah stop'
    throw inUse(directory.path, clients, 'upgrade', cure)
  }
  if (owner !== 'pinned') return null
  return { ...(await howStarted(directory)), perishes: readRecord(paths)?.perishes === true }
}

async function clientsOf(server: Server): Promise<{ pid: number; command: string }[]> {
  return await asking(server, postgres, async (client) => {
    const { rows } = await client.query<{ pid: number; command: string }>(
      `SELECT pid, format('%s in database %s', coalesce(nullif(application_name, ''), usename), datname) AS command
         FROM pg_catalog.pg_stat_activity
        WHERE backend_type IN ('client backend', 'walsender') AND pid <> pg_catalog.pg_backend_pid()
        ORDER BY backend_start`,
    )
    return rows
  })
}

/** Asks a server in one of its databases, over a connection that ends with the action. */
export async function asking<Result>(
  server: Server,
  database: string,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await server.connect({ database, options: undisturbed })
  try {
    return await action(client)
  } finally {
    await client.end()
  }
}

/**
 * The settings with which subscriptions stand still, if there are any: what they receive now would be missing in the new cluster.
 * The file of `pg_subscription` is empty if there never was one; initdb names it by its OID.
 */
function withoutSubscriptions({ directory }: Coordination): Readonly<Record<string, string>> {
  const stats = statSync(directory.file('global', '6100'), { throwIfNoEntry: false })
  return stats === undefined || stats.size === 0 ? {} : { max_logical_replication_workers: '0' }
}
