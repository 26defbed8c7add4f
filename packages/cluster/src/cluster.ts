import type { Outcome } from '@howdah/coordinate'
import {
  checkAccess,
  type ClusterUser,
  DataDirectory,
  explained,
  followLog,
  type LogOptions,
  readVersion,
  type ServerUser,
  superusersWhileStopped,
} from '@howdah/data-directory'
import { type ClusterStatus, statusOf, usersOf } from '@howdah/known-clusters'
import { defaultStrategy, type PartialVersion, type Runtime, type Strategy } from '@howdah/runtime'
import type { ClusterOptions, DestroyOptions, EndOptions } from './cluster-options.ts'
import { findAddress } from './connecting/find-address.ts'
import { type Coordination, type CoordinationOptions, coordinate } from './coordination.ts'
import { stopAndDestroyCluster, stopCluster } from './ending.ts'
import { clusterMissing } from './errors.ts'
import { chooseRuntime } from './running/choose-runtime.ts'
import { joinCluster, startCluster } from './running/join.ts'
import type { RunOptions } from './running/run-options.ts'
import { postgres, Server } from './server.ts'
import type { Session } from './session.ts'
import { type Mode, modeWhileStopped } from './settings/mode.ts'
import { trusting } from './tls/trusting.ts'
import { waiting, type WaitingOptions } from './waiting-options.ts'

/** The internals of a cluster for other packages of this project. */
export interface Inside {
  readonly directory: DataDirectory
  /** The context of one operation. `like`: the user to run a new server as, unless something else names one. */
  readonly coordination: (options?: Pick<CoordinationOptions, 'like'>) => Promise<Coordination>
  /** A PostgreSQL for a version, or for a new cluster. Throws as {@link Cluster.runtime} does. */
  readonly runtimeFor: (existing: PartialVersion | null) => Promise<Runtime>
  /** Another cluster with the same options, or another runtime. */
  readonly another: (path: string, other?: Pick<ClusterOptions, 'within' | 'runtime'>) => Cluster
  readonly strategy: Strategy
  readonly wanted: ClusterOptions['runtime']
}

/** Gives the internals of a cluster to other packages of this project. */
export let insideOf: (cluster: Cluster) => Inside

/** A PostgreSQL cluster, named by its data directory. It need not exist yet. */
export class Cluster {
  /** Absolute. */
  readonly dataDir: string
  static {
    insideOf = (cluster) => ({
      directory: cluster.#directory,
      coordination: async (options) => await cluster.#coordination(options),
      runtimeFor: async (existing) => await cluster.#runtimeFor(existing),
      strategy: cluster.#strategy,
      wanted: cluster.#options.runtime,
      another: (dataDir, { within, runtime = cluster.#options.runtime } = {}) =>
        new Cluster(dataDir, {
          ...cluster.#options,
          within,
          runtime,
          strategy: cluster.#strategy,
          onNotice: (notice) => cluster.#tell(notice),
        }),
    })
  }

  readonly #directory: DataDirectory
  readonly #options: ClusterOptions
  readonly #strategy: Strategy
  readonly #told = new Set<string>()

  /** Throws `ERR_CLUSTER_INVALID_PATH` for a path that cannot be a data directory. */
  constructor(dataDir: string, options: ClusterOptions = {}) {
    this.#directory = new DataDirectory(dataDir)
    this.dataDir = this.#directory.path
    this.#options = options
    // Made now, because the default strategy looks at the modules that the caller can load.
    this.#strategy = options.strategy ?? defaultStrategy()
  }

  /** Where servers that howdah starts write their log. */
  get logFile(): string {
    return this.#directory.logFile
  }

  /** `postmaster.pid`. */
  get pidFile(): string {
    return this.#directory.pidFile
  }

  /** Whether there is a cluster. */
  async exists(): Promise<boolean> {
    return (await this.version()) !== null
  }

  /** The version in `PG_VERSION`; `null` if there is no cluster. */
  async version(): Promise<PartialVersion | null> {
    return await readVersion(this.#directory)
  }

  /**
   * The PostgreSQL to run the cluster with: one of the cluster's version if there is a cluster, else the strategy's choice.
   *
   * Throws a `RuntimeError` of `@howdah/runtime` with `ERR_RUNTIME_NOT_FOUND`, which names the PostgreSQLs that were found,
   * and how to get the right one.
   */
  async runtime(): Promise<Runtime> {
    return await this.#runtimeFor(await this.version())
  }

  /** The state of the data directory. Throws if it is unknown, and never guesses "stopped". */
  async status(): Promise<ClusterStatus> {
    return await explained(this.dataDir, async () => await statusOf(this.#directory))
  }

  /** Whether a server runs. Throws if this is unknown. */
  async running(): Promise<boolean> {
    return (await this.status()).state === 'running'
  }

  /**
   * The present users of the cluster, by howdah, according to the kernel. On macOS, where the kernel does not tell, they are
   * those in this user's state.
   */
  async users(): Promise<ClusterUser[]> {
    return (await this.exists()) ? await usersOf(this.#directory) : []
  }

  /** The server's log as chunks of text; see {@link LogOptions}. Empty if there is none yet. */
  logs(options: LogOptions = {}): AsyncIterable<string> {
    return followLog(this.#directory, options)
  }

  /**
   * Creates the cluster if there is none; `'unmodified'` if there was one. Of the options, those about a new cluster count.
   *
   * Throws a `ClusterError`: `ERR_CLUSTER_NOT_EMPTY` if the directory holds other things, `ERR_CLUSTER_NESTED` if it lies in
   * or around what another cluster writes, `ERR_CLUSTER_SERVER_USER` if root finds no user to run the server as,
   * `ERR_CLUSTER_CREATE_FAILED` with the output of initdb, and if the system refuses something `ERR_CLUSTER_DISK_FULL`,
   * `ERR_CLUSTER_PERMISSION`, `ERR_CLUSTER_READ_ONLY`, `ERR_CLUSTER_LIMIT` or `ERR_CLUSTER_NO_PROC`. Throws
   * `ERR_CLUSTER_UNKNOWN_STATUS` and `ERR_COORDINATE_ELSEWHERE` if a server may run there that cannot be seen from here,
   * `ERR_COORDINATE_TIMEOUT` after `waitTimeout`, `ERR_RUNTIME_…` without a PostgreSQL to use, and the reason of `signal`.
   */
  async create(options: RunOptions = {}): Promise<Outcome> {
    return await explained(this.dataDir, async () => {
      if (await this.exists()) return 'unmodified'
      const { free } = await this.#coordination()
      await using exclusive = await free.change(waiting(options))
      return await exclusive.create({ start: options })
    })
  }

  /**
   * Starts the server pinned: it runs until it is stopped, with users or without. Creates the cluster if there is none.
   *
   * `'unmodified'` when it was running already: the options of a start were not applied then, but it stays from now on.
   * Throws as {@link run} does.
   */
  async start(options: RunOptions = {}): Promise<Outcome> {
    return await explained(this.dataDir, async () => {
      return await startCluster(await this.#coordination(options), options)
    })
  }

  /**
   * Becomes a user of the cluster until the session is left. Creates and starts the cluster if necessary. The last user stops
   * the server when it leaves.
   *
   * Throws as {@link create} does, and with `tls` `ERR_CLUSTER_NO_TLS`, and `ERR_CLUSTER_MISSING` with `ifExists`, `ERR_CLUSTER_UNSUPPORTED_VERSION` for a
   * cluster older than PostgreSQL 10, `ERR_CLUSTER_INVALID_SETTING`, `ERR_CLUSTER_START_FAILED` with the server's log,
   * `ERR_CLUSTER_NOT_READY` if the server lets nobody in within `timeout`, `ERR_CLUSTER_NO_SUPERUSER`, and with `tcp`
   * `ERR_CLUSTER_NO_TCP`, `ERR_CLUSTER_TCP_LOGIN` and `ERR_CLUSTER_IN_USE`, because a server without TCP has to be restarted.
   *
   * @example
   * await using db = await new Cluster('.howdah/data').run({ database: 'app' })
   */
  async run(options: RunOptions = {}): Promise<Session> {
    return await explained(this.dataDir, async () => {
      return await joinCluster(await this.#coordination(options), options)
    })
  }

  /** Gives the running server, without becoming one of its users. Throws `ERR_CLUSTER_NOT_RUNNING`. */
  async server(
    options: {
      database?: string | undefined
      tcp?: boolean | undefined
      /** Connect over TCP, with the certificate that howdah has made for the server; `ERR_CLUSTER_NO_TLS` without one. */
      tls?: boolean | undefined
    } = {},
  ): Promise<Server> {
    if (!(await this.exists())) throw clusterMissing(this.dataDir)
    const { database = postgres, tcp = false, tls = false } = options
    const found = await findAddress(this.#directory, tcp || tls)
    const address = tls ? await trusting(this.#directory, found) : found
    return new Server(this.dataDir, await this.runtime(), address, database)
  }

  /** The superusers that can log in, oldest first. The cluster may be stopped. */
  async superusers(options: WaitingOptions = {}): Promise<string[]> {
    return await this.#ask(options, {
      running: async (server) => await server.superusers(),
      stopped: async (runtime, user) =>
        await superusersWhileStopped(this.#directory, runtime, user, options.signal),
    })
  }

  /**
   * `fast` as soon as fsync, full_page_writes or synchronous_commit is off, or not all is on disk since; else `safe`.
   *
   * A running server is asked. For a stopped cluster, PostgreSQL reads the configuration files.
   */
  async mode(options: WaitingOptions = {}): Promise<Mode> {
    return await this.#ask(options, {
      running: async (server) => await server.mode(),
      stopped: async (runtime, user) =>
        await modeWhileStopped(this.#directory, runtime, user, options.signal),
    })
  }

  /**
   * Stops the server and waits until it is gone. `'unmodified'`: no server ran.
   *
   * Throws `ERR_CLUSTER_IN_USE` while somebody uses the cluster, and `ERR_CLUSTER_NOT_OURS` if howdah did not start the
   * server, unless `force` is given.
   */
  async stop(options: EndOptions = {}): Promise<Outcome> {
    const context = async () => await this.#coordination()
    return await explained(
      this.dataDir,
      async () => await stopCluster(this.#directory, context, options),
    )
  }

  /**
   * Stops the server and removes the cluster with its data directory. `'unmodified'`: there was no cluster.
   *
   * Throws as {@link stop} does, and `ERR_CLUSTER_NOT_OURS` if howdah did not create the cluster, unless `force` is given.
   */
  async destroy(options: DestroyOptions = {}): Promise<Outcome> {
    const context = async () => await this.#coordination()
    return await explained(
      this.dataDir,
      async () => await stopAndDestroyCluster(this.#directory, context, options),
    )
  }

  /** Asks the server if one runs, or else the files, while nobody can start one. */
  async #ask<Answer>(
    options: WaitingOptions,
    ways: {
      readonly running: (server: Server) => Promise<Answer>
      readonly stopped: (runtime: Runtime, user: ServerUser | null) => Promise<Answer>
    },
  ): Promise<Answer> {
    return await explained(this.dataDir, async () => {
      if (!(await this.exists())) throw clusterMissing(this.dataDir)
      const { free, user, runtime } = await this.#coordination()
      await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
      if (exclusive === null || (await this.running()))
        return await ways.running(await this.server())
      await checkAccess(this.#directory, user)
      return await ways.stopped(await runtime(), user)
    })
  }

  async #runtimeFor(existing: PartialVersion | null): Promise<Runtime> {
    const options = { ...this.#options, strategy: this.#strategy }
    return await chooseRuntime(this.dataDir, existing, options)
  }

  async #coordination(options: CoordinationOptions = {}): Promise<Coordination> {
    const { runAs, within, onNotice } = this.#options
    // The runtime is looked for once for each operation, and only when it is needed.
    let chosen: Promise<Runtime> | null = null
    const runtime = async () => await (chosen ??= this.runtime())
    const tell = (message: string) => this.#tell(message)
    return await coordinate(
      { directory: this.#directory, runtime, runAs, within, tell, isHeard: onNotice !== undefined },
      options,
    )
  }

  /** Tells the user each message once. */
  #tell(notice: string): void {
    if (this.#told.has(notice)) return
    this.#told.add(notice)
    this.#options.onNotice?.(notice)
  }
}

/**
 * Joins the cluster in `dataDir`; short for `new Cluster(dataDir, options).run(options)`. Throws as {@link Cluster.run} does.
 */
export async function run(
  dataDir: string,
  options: ClusterOptions & RunOptions = {},
): Promise<Session> {
  return await new Cluster(dataDir, options).run(options)
}
