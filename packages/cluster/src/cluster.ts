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

/** How a cluster is run. Nothing is read or started until something is asked of it. */
export interface ClusterOptions {
  /** Where to look for PostgreSQL; by default on PATH, in the usual places, and in what is installed or bundled. */
  strategy?: Strategy | undefined
  /**
   * Which of the PostgreSQLs found will do: `'18'`, `'16.3'`, a directory such as `'/opt/postgresql'`, or any other
   * constraint of `@howdah/runtime`. The version of an existing cluster always counts, too.
   */
  runtime?: ConstraintLike | undefined
  /** As root: the operating system's user to run the server as. */
  runAs?: string | undefined
  /**
   * An absolute path around the data directory that has to be there. It is never made, as directories above the data directory
   * are otherwise: for a git worktree, which somebody may remove at any time.
   */
  within?: string | undefined
  /** Told what deserves a word to the user. */
  onNotice?: ((message: string) => void) | undefined
}

/** How a cluster is stopped or destroyed. */
export interface EndOptions extends WaitingOptions {
  /** Do it although others use it, or howdah did not make it; they lose their connections. */
  force?: boolean | undefined
  /** In ms: how long the server may take to shut down; 60,000 by default. */
  timeout?: number | undefined
  /** Ends the waiting; the call then rejects with the signal's reason. A server that is shutting down goes on with it. */
  signal?: AbortSignal | undefined
  /** PostgreSQL's shutdown mode: `fast` by default; `immediate` leaves recovery to the next start. */
  shutdown?: 'fast' | 'immediate' | undefined
}

/** How a cluster is destroyed. */
export interface DestroyOptions extends EndOptions {
  /**
   * Move the data directory to this path, on the same file system, instead of removing it: a cluster that is stopped, and
   * whole. Its parent must exist. Throws errors of the system, such as `EXDEV` and, for a mount point, `EBUSY`.
   */
  keepAt?: string | undefined
}

/** What the other packages of this project do with a cluster. */
export interface Inside {
  readonly directory: DataDirectory
  /** What one operation works with. `like`: the user to run a new server as, unless something else says so. */
  readonly coordination: (options?: {
    like?: ServerUser | null | undefined
  }) => Promise<Coordination>
  /** A PostgreSQL of a version, or for a new cluster. Throws as {@link Cluster.runtime} does. */
  readonly runtimeFor: (existing: PartialVersion | null) => Promise<Runtime>
  /** A cluster elsewhere with the same options. */
  readonly another: (dataDir: string, options?: Pick<ClusterOptions, 'within'>) => Cluster
}

/** The door into a cluster for the other packages of this project. */
export let insideOf: (cluster: Cluster) => Inside

/** A PostgreSQL cluster by its data directory, whether there is one yet or not. */
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
    // Made at once: it looks at what the modules that call see.
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

  /** The cluster's version as `PG_VERSION` has it, or `null` if there is no cluster. */
  async version(): Promise<PartialVersion | null> {
    return await readVersion(this.#directory)
  }

  /**
   * The PostgreSQL to run it with: one of the cluster's version if there is a cluster, else the strategy's choice.
   *
   * Throws a `RuntimeError` of `@howdah/runtime` with `ERR_RUNTIME_NOT_FOUND`, which names what was found instead, and how to
   * get the right one.
   */
  async runtime(): Promise<Runtime> {
    return await this.#runtimeFor(await this.version())
  }

  /** What there is. Throws rather than guess: *don't know* is never "stopped". */
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

  /** Whether a server runs. Throws rather than guess. */
  async running(): Promise<boolean> {
    return (await this.status()).state === 'running'
  }

  /**
   * Who uses it through howdah at this moment, as far as the kernel tells. If it does not, on macOS, as far as this user's
   * state tells.
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
   * `ERR_CLUSTER_CREATE_FAILED` with what initdb printed, and for what the system refuses `ERR_CLUSTER_DISK_FULL`,
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
   * Starts the server to run until it is stopped, with users or without; creates the cluster if there is none.
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
   * Joins the users of the cluster: creates and starts it if it must, and stays until the session is left. The last to
   * leave stops the server.
   *
   * Throws as {@link create} does, and with `tls` `ERR_CLUSTER_NO_TLS`, and `ERR_CLUSTER_MISSING` with `ifExists`, `ERR_CLUSTER_UNSUPPORTED_VERSION` for a
   * cluster older than PostgreSQL 10, `ERR_CLUSTER_INVALID_SETTING`, `ERR_CLUSTER_START_FAILED` with the server's log,
   * `ERR_CLUSTER_NOT_READY` if the server lets nobody in within `timeout`, `ERR_CLUSTER_NO_SUPERUSER`, and with `tcp`
   * `ERR_CLUSTER_NO_TCP`, `ERR_CLUSTER_TCP_LOGIN` and `ERR_CLUSTER_IN_USE`, as a server without TCP has to be restarted.
   *
   * @example
   * await using db = await new Cluster('.howdah/data').run({ database: 'app' })
   */
  async run(options: RunOptions = {}): Promise<Session> {
    return await explained(this.dataDir, async () => {
      return await joinCluster(await this.#coordination(options), options)
    })
  }

  /** The running server, without becoming one of its users. Throws `ERR_CLUSTER_NOT_RUNNING`. */
  async server(
    options: {
      database?: string | undefined
      tcp?: boolean | undefined
      /** Over TCP, with the certificate that howdah has made for it; `ERR_CLUSTER_NO_TLS` without one. */
      tls?: boolean | undefined
    } = {},
  ): Promise<Server> {
    if (!(await this.exists())) throw clusterMissing(this.dataDir)
    const { database = postgres, tcp = false, tls = false } = options
    const found = await findAddress(this.#directory, tcp || tls)
    const address = tls ? await trusting(this.#directory, found) : found
    return new Server(this.dataDir, await this.runtime(), address, database)
  }

  /** The roles that are superuser and can log in, oldest first; of a stopped cluster, too. */
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
   * A server that runs is asked; of a stopped cluster, PostgreSQL reads the configuration files.
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
   * Stops the server and waits until it has gone; `'unmodified'` when none ran.
   *
   * Throws `ERR_CLUSTER_IN_USE` while somebody uses it, and `ERR_CLUSTER_NOT_OURS` for a server that howdah did not start, unless
   * forced.
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
   * Stops the server and removes the cluster with its data directory; `'unmodified'` when there was none.
   *
   * Throws as {@link stop} does, and `ERR_CLUSTER_NOT_OURS` for a cluster that howdah did not create, unless forced.
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

  /** A directory without `PG_VERSION` is not a cluster, but a server may still run there. */
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
    /** The user to run the server as, if nothing else says so. */
    like?: ServerUser | null | undefined
  } = {}): Promise<Coordination> {
    // Says so if we may not look into it.
    await this.exists()
    const user = await chooseServerUser(this.dataDir, this.#options.runAs, like)
    if (user !== null && user.notice !== null) this.#tell(user.notice)
    if (mode === 'fast') this.#tell(warningOf(this.dataDir))
    // Looked for once an operation, and not before it is needed.
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

  /** Each thing once. */
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
 * Joins the cluster in `dataDir`: the short form of `new Cluster(dataDir, options).run(options)`. Throws as {@link Cluster.run}
 * does.
 */
export async function run(
  dataDir: string,
  options: ClusterOptions & RunOptions = {},
): Promise<Session> {
  return await new Cluster(dataDir, options).run(options)
}
