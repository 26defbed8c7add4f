import { type JoinOptions, type LeaveOutcome, ownership, type Shared } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type pg from 'pg'
import { DataDirectory } from '@howdah/data-directory'
import { notOurs } from './errors.ts'
import type { ConnectedClient } from './without-driver/connected-clients.ts'
import { clientsLeftOpen, describeLeftOpen, whenAllHaveGone } from './connecting/left-open.ts'
import { hasDatabase } from './without-driver/has-database.ts'
import { crash } from './running/crash.ts'
import { restartAlone, takeAlone } from './running/restart.ts'
import type { Address } from './connecting/address.ts'
import type { Outcome } from '@howdah/coordinate'
import { postgres, Server } from './server.ts'
import type { LaunchOptions } from './subject.ts'
import type { UseEntry } from '@howdah/known-clusters'
import { waiting, type WaitingOptions } from './waiting-options.ts'
import { whenReady } from './running/when-ready.ts'

/** How to restart a server. */
export interface RestartOptions extends Omit<LaunchOptions, 'tcp' | 'tls'>, WaitingOptions {}

/** How the session joined, and how it leaves. */
interface Stay {
  readonly joining: JoinOptions<LaunchOptions>
  readonly atEnd: 'stop' | 'destroy'
  /** The entry for `howdah ls`; `null` if it could not be made. */
  readonly entry: UseEntry | null | Promise<UseEntry | null>
  /** Called with a message about clients that were left open. */
  readonly warn: (message: string) => void
}

/**
 * The stay of one user on a shared server. The server runs as long as the session lasts.
 *
 * Dispose of it, or call {@link leave}; the last user stops the server. A process that ends, even by SIGKILL, also leaves.
 */
export class Session extends Server implements AsyncDisposable {
  /** `'modified'` if this session started the server, `'unmodified'` if it was already running. */
  readonly started: Outcome
  #shared: Shared<LaunchOptions>
  readonly #stay: Stay
  /**
   * The open sessions of this process. They are needed to find out which of them has left clients open, because no lock
   * distinguishes them.
   */
  static readonly #open = new Set<Session>()
  readonly #clients = new Set<pg.Client>()
  readonly #closers = new Set<() => Promise<unknown>>()
  #leaving: Promise<LeaveOutcome> | null = null

  /** @internal Made by `run`. */
  constructor(
    server: { dataDir: string; runtime: Runtime; address: Address; database: string },
    stay: Stay & { readonly shared: Shared<LaunchOptions> },
  ) {
    super(
      server.dataDir,
      server.runtime,
      server.address,
      server.database,
      stay.joining.start.timeout,
    )
    this.#shared = stay.shared
    this.started = stay.shared.started
    this.#stay = stay
    Session.#open.add(this)
  }

  /** A new connection. It is ended when the session is left, if not before. */
  override async connect(options?: string | pg.ClientConfig): Promise<pg.Client> {
    const client = await super.connect(options)
    const close = async () => await client.end()
    this.#closers.add(close)
    client.once('end', () => this.#closers.delete(close))
    return this.#keep(client)
  }

  /** A new pool. It is ended when the session is left, if not before. */
  override async pool(options?: string | pg.PoolConfig, more?: pg.PoolConfig): Promise<pg.Pool> {
    const pool = await super.pool(options, more)
    this.#closers.add(async () => (pool.ended || pool.ending ? undefined : await pool.end()))
    pool.on('connect', (client) => this.#keep(client as unknown as pg.Client))
    return pool
  }

  /** Creates the database if it is missing. It first tries to connect, because usually the database exists. */
  async ensureDatabase(name: string): Promise<Outcome> {
    const ask = async () => await hasDatabase(this.address, name)
    const patience = { timeout: this.#stay.joining.start.timeout }
    const answer = await whenReady(new DataDirectory(this.dataDir), ask, patience)
    const isThere = answer ?? (await this.#admitsTo(name))
    return isThere ? 'unmodified' : await this.createDatabase(name)
  }

  /**
   * Restarts the server, if nobody else uses it, so that settings that need a restart are applied. It is started as before,
   * with `options` added. All connections are lost.
   *
   * Rejects with `ERR_CLUSTER_IN_USE`, and with `ERR_CLUSTER_NOT_OURS` if howdah did not start the server; then the session
   * goes on. After `ERR_CLUSTER_START_FAILED` the session is left; a pinned server runs as before, any other does not run.
   */
  async restart(options: RestartOptions = {}): Promise<void> {
    const shared = this.#shared
    if ((await ownership(shared.paths, shared.subject)) === 'foreign')
      throw notOurs(this.dataDir, 'restart')
    const directory = new DataDirectory(this.dataDir)
    const joining = { ...this.#stay.joining, start: options, ...waiting(options) }
    const ours = this.#backends()
    const alone = await takeAlone(directory, shared, joining, 'restart the server on', ours)
    try {
      this.#shared = await restartAlone(alone, joining)
    } catch (error) {
      this.#leaving ??= Promise.resolve('stopped')
      Session.#open.delete(this)
      await (await this.#stay.entry)?.end()
      throw error
    }
  }

  /**
   * Kills the server with all its processes, as a crash of the machine would, so that you can test how a program behaves.
   * `'unmodified'`: no server ran. {@link restart} starts it again, at the same port, and recovers all committed data.
   *
   * Rejects with `ERR_CLUSTER_IN_USE` while other processes use the server, and with `ERR_CLUSTER_NOT_OURS` if howdah did not
   * start it.
   */
  async crash(): Promise<Outcome> {
    return await crash(this.dataDir, this.#shared)
  }

  /**
   * Ends the connections that this session has opened, and leaves. `'stopped'` or `'destroyed'`: this was the last user.
   * `'in-use'`: others use the server. `'kept'`: the server stays without users. Calling it again gives the same answer.
   *
   * Other clients, opened by {@link url} or in another program, may still be connected half a second later. They are named by
   * `onNotice`, or else by a warning of Node. Then the answer is `'in-use'`, and the server is stopped when they have gone,
   * at the latest at the end of this process. With `force` they lose their connections at once.
   */
  async leave({ force = false }: { force?: boolean | undefined } = {}): Promise<LeaveOutcome> {
    this.#leaving ??= this.#closeAndLeave(force)
    return await this.#leaving
  }

  /** Leaves, as {@link leave} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }

  /** Whether the server has the database. Throws any other error of the server. */
  async #admitsTo(database: string): Promise<boolean> {
    try {
      await (await super.connect(database)).end()
      return true
    } catch (error) {
      // invalid_catalog_name: "database … does not exist"
      if ((error as pg.DatabaseError).code !== '3D000' || database === postgres) throw error
      return false
    }
  }

  async #closeAndLeave(force: boolean): Promise<LeaveOutcome> {
    await Promise.all([...this.#closers].map(async (close) => await soon(close())))
    const leave = async () => {
      await (await this.#stay.entry)?.end()
      return await this.#shared.leave({ atEnd: this.#stay.atEnd })
    }
    const all = await this.#clientsLeftOpen(force)
    if (all.length > 0) this.#stay.warn(describeLeftOpen(this.dataDir, all))
    // Our clients have error listeners. If other clients are in this process, a stopping server would end the whole process.
    if (all.every(({ pid }) => this.#backends().has(pid))) return await leave()
    void whenAllHaveGone(this.dataDir)
      .then(leave)
      .catch(() => undefined)
    return 'in-use'
  }

  async #clientsLeftOpen(force: boolean): Promise<readonly ConnectedClient[]> {
    const others = [...Session.#open].filter(({ dataDir }) => dataDir === this.dataDir)
    Session.#open.delete(this)
    if (force || others.length > 1 || (this.#stay.joining.linger ?? 0) > 0) return []
    return await clientsLeftOpen(this.dataDir, this.#shared, this.#backends())
  }

  /** Remembers a client until it ends. */
  #keep(client: pg.Client): pg.Client {
    this.#clients.add(client)
    client.once('end', () => this.#clients.delete(client))
    return client
  }

  /** The pids of the backends of our own clients. */
  #backends(): ReadonlySet<number> {
    const pids = [...this.#clients].map(
      (client) => (client as { processID?: number }).processID ?? 0,
    )
    return new Set(pids)
  }
}

/** How long a client that was taken from a pool and never given back may delay leaving, in ms. */
const patience = 500

async function soon(closed: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((done) => {
    timer = setTimeout(done, patience)
  })
  await Promise.race([closed.catch(() => undefined), enough])
  clearTimeout(timer)
}
