import { resolve } from 'node:path'
import { Free, ownership } from '@howdah/coordinate'
import {
  all,
  type ConstraintLike,
  defaultStrategy,
  describeConstraint,
  noRuntime,
  type PartialVersion,
  type Runtime,
  selectRuntime,
  type Strategy,
  version,
} from '@howdah/runtime'
import {
  checkAccess,
  chooseServerUser,
  type ClusterUser,
  DataDirectory,
  findPostmaster,
  followLog,
  type LogOptions,
  placeOf,
  readMark,
  readVersion,
  refuseServed,
  type ServerUser,
  superusersWhileStopped,
} from '@howdah/data-directory'
import type { ClusterStatus } from './cluster-status.ts'
import type { Coordination } from './coordination.ts'
import { clusterMissing, inUse, notOurs, unsupportedVersion } from './errors.ts'
import { joinCluster, type RunOptions, startCluster } from './running/join.ts'
import { LocalState, usersOf } from '@howdah/known-clusters'
import { type Mode, modeWhileStopped, warningOf } from './settings/mode.ts'
import type { Outcome } from '@howdah/coordinate'
import { postgres, Server } from './server.ts'
import { findAddress } from './connecting/find-address.ts'
import type { Session } from './session.ts'
import { trusting } from './tls/trusting.ts'
import { stopPostmaster } from './running/stop.ts'
import { ClusterSubject } from './subject.ts'
import { explained } from './system-errors.ts'
import { markWreck } from './creating/wreck.ts'
import { waiting, type WaitingOptions } from './waiting-options.ts'

/** Options of a cluster. Nothing is read or started before a method is called. */
export interface ClusterOptions {
  /** Where to look for PostgreSQL; by default on PATH, in the usual places, and among the installed and bundled runtimes. */
  strategy?: Strategy | undefined
  /**
   * Which PostgreSQL to use: `'18'`, `'16.3'`, a directory such as `'/opt/postgresql'`, or any other constraint of
   * `@howdah/runtime`. It must also fit the version of an existing cluster.
   */
  runtime?: ConstraintLike | undefined
  /** As root: the operating system's user to run the server as. */
  runAs?: string | undefined
  /**
   * An absolute path around the data directory that has to be there. It is never made, as directories above the data directory
   * are otherwise: for a git worktree, which somebody may remove at any time.
   */
  within?: string | undefined
  /** Called with messages for the user. */ onNotice?: ((message: string) => void) | undefined
}

/** How to stop or destroy a cluster. */
export interface EndOptions extends WaitingOptions {
  /** Do it even if others use the cluster, who lose their connections, or if howdah did not make it. */
  force?: boolean | undefined
  /** In ms: how long the server may take to shut down; 60,000 by default. */
  timeout?: number | undefined
  /** Ends the wait: the call then rejects with the signal's reason. A server that is shutting down still does so. */
  signal?: AbortSignal | undefined
  /** PostgreSQL's shutdown mode: `fast` by default; `immediate` leaves recovery to the next start. */
  shutdown?: 'fast' | 'immediate' | undefined
}

/** How to destroy a cluster. */
export interface DestroyOptions extends EndOptions {
  /**
   * Move the data directory, as a complete, stopped cluster, to this path on the same file system instead of removing it. The
   * parent of the path must exist. Throws errors of the system, such as `EXDEV` and, for a mount point, `EBUSY`.
   */
  keepAt?: string | undefined
}

/** The internals of a cluster for other packages of this project. */
export interface Inside {
  readonly directory: DataDirectory
  /** The context of one operation. `like`: the user to run a new server as, unless something else names one. */
  readonly coordination: (options?: {
    like?: ServerUser | null | undefined
  }) => Promise<Coordination>
  /** A PostgreSQL for an existing version, or for a new cluster. Throws as {@link Cluster.runtime} does. */
  readonly runtimeFor: (existing: PartialVersion | null) => Promise<Runtime>
  /** Another cluster with the same options. */
  readonly another: (dataDir: string, options?: Pick<ClusterOptions, 'within'>) => Cluster
}

/** Gives the internals of a cluster to other packages of this project. */
export let insideOf: (cluster: Cluster) => Inside

/** A PostgreSQL cluster, named by its data directory. It need not exist yet. */
export class Cluster {
  /** Absolute. */
  readonly dataDir: string
  /** See {@link insideOf}. */
  static {
    insideOf = (cluster) => ({
      directory: cluster.#directory,
      coordination: async (options) => await cluster.#coordination(options),
      runtimeFor: async (existing) => await cluster.#runtimeFor(existing),
      another: (dataDir, { within } = {}) =>
        new Cluster(dataDir, {
          ...cluster.#options,
          within,
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
    return await explained(this.dataDir, async () => {
      const existing = await this.version()
      if (existing === null) {
        await this.#refuseServed()
        return { state: 'missing' }
      }
      const postmaster = await findPostmaster(this.#directory)
      if (postmaster === null) return { state: 'stopped', version: existing }
      const { file, identity } = postmaster
      const { subject, place } = await this.#coordination()
      const owner = await ownership(place, subject)
      return {
        state: 'running',
        version: existing,
        pid: identity.pid,
        startedAt: file.startedAt,
        port: file.port,
        socketDirectory:
          file.socketDirectory === null ? null : resolve(this.dataDir, file.socketDirectory),
        listenAddress: file.listenAddress,
        ours: owner === 'ours' || owner === 'pinned',
        pinned: owner === 'pinned' || owner === 'foreign',
      }
    })
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
   * Creates the cluster if there is none; `'unmodified'` if there was one.
   *
   * Throws a `ClusterError`: `ERR_CLUSTER_NOT_EMPTY` if the directory holds other things, `ERR_CLUSTER_NESTED` if it lies in
   * or around what another cluster writes, `ERR_CLUSTER_SERVER_USER` if root finds no user to run the server as,
   * `ERR_CLUSTER_CREATE_FAILED` with the output of initdb, and if the system refuses something `ERR_CLUSTER_DISK_FULL`,
   * `ERR_CLUSTER_PERMISSION`, `ERR_CLUSTER_READ_ONLY`, `ERR_CLUSTER_LIMIT` or `ERR_CLUSTER_NO_PROC`. Throws
   * `ERR_CLUSTER_UNKNOWN_STATUS` and `ERR_COORDINATE_ELSEWHERE` if a server may run there that cannot be seen from here,
   * `ERR_COORDINATE_TIMEOUT` after `waitTimeout`, `ERR_RUNTIME_…` without a PostgreSQL to use, and the reason of `signal`.
   */
  async create(options: WaitingOptions = {}): Promise<Outcome> {
    return await explained(this.dataDir, async () => {
      if (await this.exists()) return 'unmodified'
      const { free } = await this.#coordination()
      await using exclusive = await free.change(waiting(options))
      return await exclusive.create({ start: {} })
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
    return await explained(this.dataDir, async () => {
      if (!(await this.exists())) throw clusterMissing(this.dataDir)
      const { free, user, runtime } = await this.#coordination()
      await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
      if (exclusive === null || (await this.running()))
        return await (await this.server()).superusers()
      await checkAccess(this.#directory, user)
      return await superusersWhileStopped(this.#directory, await runtime(), user, options.signal)
    })
  }

  /**
   * `fast` as soon as fsync, full_page_writes or synchronous_commit is off, or not all is on disk since; else `safe`.
   *
   * A running server is asked. For a stopped cluster, PostgreSQL reads the configuration files.
   */
  async mode(options: WaitingOptions = {}): Promise<Mode> {
    if (!(await this.exists())) throw clusterMissing(this.dataDir)
    const { free, user, runtime } = await this.#coordination()
    await using exclusive = await free.tryChange({ ...waiting(options), ifExists: true })
    if (exclusive === null || (await this.running())) return await (await this.server()).mode()
    await checkAccess(this.#directory, user)
    return await modeWhileStopped(this.#directory, await runtime(), user, options.signal)
  }

  /**
   * Stops the server and waits until it is gone. `'unmodified'`: no server ran.
   *
   * Throws `ERR_CLUSTER_IN_USE` while somebody uses the cluster, and `ERR_CLUSTER_NOT_OURS` if howdah did not start the
   * server, unless `force` is given.
   */
  async stop(options: EndOptions = {}): Promise<Outcome> {
    return await explained(this.dataDir, async () => {
      if (await this.#endLost(options)) return 'modified'
      const status = await this.status()
      if (status.state !== 'running') return 'unmodified'
      if (!status.ours && options.force !== true) throw notOurs(this.dataDir, 'stop')
      await using exclusive = await this.#forMyself('stop', options)
      const onNotice = (notice: string) => this.#tell(notice)
      return await exclusive.reconfigure(async () =>
        (await stopPostmaster(this.#directory, { ...options, onNotice }))
          ? 'modified'
          : 'unmodified',
      )
    })
  }

  /**
   * Stops the server and removes the cluster with its data directory. `'unmodified'`: there was no cluster.
   *
   * Throws as {@link stop} does, and `ERR_CLUSTER_NOT_OURS` if howdah did not create the cluster, unless `force` is given.
   */
  async destroy(options: DestroyOptions = {}): Promise<Outcome> {
    return await explained(this.dataDir, async () => {
      await this.#endLost(options, async (held) => {
        if (!(await held.has(held.versionFile))) await markWreck(held)
      })
      const exists = await this.exists()
      if (!exists) {
        await this.#refuseServed()
        if (!(await this.#directory.has(this.#directory.wreck))) return 'unmodified'
      }
      const mark = await readMark(this.#directory)
      if (exists && mark?.created !== true && options.force !== true) {
        throw notOurs(this.dataDir, 'destroy')
      }
      await using exclusive = await this.#forMyself('destroy', options)
      await exclusive.reconfigure(async () => await stopPostmaster(this.#directory, options))
      options.signal?.throwIfAborted()
      return await exclusive.destroy()
    })
  }

  /** Throws if a server runs in the directory, which may be so even without a `PG_VERSION`. */
  async #refuseServed(): Promise<void> {
    const isNew = !(await this.#directory.has(this.#directory.path))
    await refuseServed(this.#directory, isNew)
  }

  async #endLost(
    options: EndOptions,
    then?: (held: DataDirectory) => Promise<void>,
  ): Promise<boolean> {
    if (options.force !== true) return false
    const { endLost } = await import('./running/end-lost.ts')
    return await endLost(this.#directory, options, then)
  }

  async #forMyself(wanted: string, options: DestroyOptions) {
    const { free, subject } = await this.#coordination()
    const { force = false, keepAt } = options
    subject.keepAt = keepAt
    const exclusive = await free.tryChange({ ...waiting(options), force })
    if (exclusive === null) throw inUse(this.dataDir, await this.users(), wanted)
    return exclusive
  }

  async #runtimeFor(existing: PartialVersion | null): Promise<Runtime> {
    if (existing !== null && existing.major < 10) {
      throw unsupportedVersion(this.dataDir, existing.toString())
    }
    const strategy = this.#strategy
    const { runtime: wanted } = this.#options
    if (existing === null && wanted === undefined) {
      const found = await strategy.fallback()
      if (found === null) throw noRuntime(null)
      return found
    }
    const constraint = all(...[existing === null ? [] : version(existing), wanted ?? []].flat())
    const found = await selectRuntime(strategy, constraint)
    if (found !== null) return found
    throw noRuntime(
      wanted === undefined ? existing : describeConstraint(constraint),
      await strategy.runtimes(),
    )
  }

  async #coordination({
    throwAway = false,
    mode,
    like = null,
  }: Pick<RunOptions, 'throwAway' | 'mode'> & {
    /** The user to run the server as, if nothing else names one. */
    like?: ServerUser | null | undefined
  } = {}): Promise<Coordination> {
    // Throws if we may not look into the directory.
    await this.exists()
    const user = await chooseServerUser(this.dataDir, this.#options.runAs, like)
    if (user !== null && user.notice !== null) this.#tell(user.notice)
    if (mode === 'fast') this.#tell(warningOf(this.dataDir))
    // The runtime is looked for once for each operation, and only when it is needed.
    let chosen: Promise<Runtime> | null = null
    const runtime = async () => await (chosen ??= this.runtime())
    const tell = (message: string) => this.#tell(message)
    const isHeard = this.#options.onNotice !== undefined
    const state = new LocalState(tell, isHeard ? tell : warnByNode)
    const subject = new ClusterSubject(this.#directory, user, runtime, state, this.#options.within)
    const isThrowAway = throwAway || (await this.#directory.has(this.#directory.throwAway))
    const place = placeOf(this.#directory, user, isThrowAway)
    const free = new Free(subject, place)
    return { directory: this.#directory, user, subject, place, free, runtime, state }
  }

  /** Tells the user each message once. */
  #tell(notice: string): void {
    if (this.#told.has(notice)) return
    this.#told.add(notice)
    this.#options.onNotice?.(notice)
  }
}

function warnByNode(message: string): void {
  process.emitWarning(message, { type: 'HowdahWarning' })
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
