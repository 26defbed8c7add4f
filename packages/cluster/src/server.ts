import type { Outcome } from '@howdah/coordinate'
import type { Dumped, DumpOptions, Loaded, LoadOptions } from '@howdah/dump'
import type { Runtime } from '@howdah/runtime'
import type { Options, Result } from 'execa'
import type pg from 'pg'
import type { Address } from './connecting/address.ts'
import { clientOptions } from './connecting/client-options.ts'
import { connectionEnvironment } from './connecting/connection-environment.ts'
import { connectionUrl } from './connecting/connection-url.ts'
import { DataDirectory, withoutConnection } from '@howdah/data-directory'
import { fillTemplate } from './connecting/fill-template.ts'
import { openClient } from './connecting/open-client.ts'
import { type Mode, modeOf, setMode } from './settings/mode.ts'
import type { PatienceOptions } from './running/reload.ts'
import { Settings } from './settings/settings.ts'
import { ServerSnapshots } from './server-snapshots.ts'
import { whenReady } from './running/when-ready.ts'

/** The database that administrative connections use. */
export const postgres = 'postgres'
/** The database from which new databases are copied. */
export const template1 = 'template1'
/** The pristine copy of `template1`. */
export const template0 = 'template0'

/** A running PostgreSQL server. */
export class Server {
  /** Absolute. */
  readonly dataDir: string
  /** The default database. */
  readonly database: string
  readonly address: Address
  /** The installation with the programs that are first on the PATH of commands. */
  readonly runtime: Runtime

  /** How long a start may take, with recovery, in ms. */
  readonly #patience: number | undefined

  constructor(
    dataDir: string,
    runtime: Runtime,
    address: Address,
    database: string,
    patience?: number,
  ) {
    this.#patience = patience
    this.dataDir = dataDir
    this.runtime = runtime
    this.address = address
    this.database = database
  }

  /**
   * The complete options for node-postgres, so that none of its defaults come from the environment. `options` is the
   * database, or options of node-postgres, which take precedence.
   */
  clientOptions(options: string | pg.ClientConfig = {}): pg.ClientConfig {
    return clientOptions(this.address, this.database, options)
  }

  /**
   * A new connection, which the caller ends: `connect('app')`, `connect({ database: 'app' })`, with any other options of
   * node-postgres. If it is lost while it is idle, this process goes on, and the next query rejects.
   *
   * If the server runs but accepts no connections, as after the crash of one of its processes, this waits for as long as a
   * start may take, and then rejects with `ERR_CLUSTER_NOT_READY`. Rejects with `ERR_CLUSTER_NOT_RUNNING` if the server has
   * ended, and with `ERR_CLUSTER_SOCKET_LOGIN` if a cluster that somebody else has created wants another password on its
   * socket.
   */
  async connect(options?: string | pg.ClientConfig): Promise<pg.Client> {
    const open = async () => await openClient(this.dataDir, this.clientOptions(options))
    return await whenReady(new DataDirectory(this.dataDir), open, { timeout: this.#patience })
  }

  /** A new pool, which the caller ends: `pool('app')`, `pool({ database: 'app', max: 5 })`, `pool('app', { max: 5 })`. */
  async pool(options: string | pg.PoolConfig = {}, more: pg.PoolConfig = {}): Promise<pg.Pool> {
    const { default: pg } = await import('pg')
    const all =
      typeof options === 'string' ? { ...more, database: options } : { ...options, ...more }
    const pool = new pg.Pool(this.clientOptions(all))
    const survive = () => undefined
    // Without listeners, the end of the server would end this process. A client that is taken from the pool has no other.
    pool.on('error', survive)
    pool.on('connect', (client) => client.on('error', survive))
    return pool
  }

  /**
   * The URL of the connection, for psql, node-postgres and the programs that are built on them.
   *
   * For a socket it is `postgresql://user@localhost:port/database?host=/its/directory`. A client that ignores `host` tries
   * the port on this machine, so howdah chooses a port at which nobody answers.
   *
   * Over TCP it has `sslmode=disable`, unless the server has SSL on, because some drivers insist on SSL by default. With
   * `tls` it has `sslmode=verify-full`, and the file with the certificate to trust as `sslrootcert`.
   *
   * Not every client understands every database name in a URL; see the table in the README.
   */
  url(database: string = this.database): string {
    return connectionUrl(this.address, database)
  }

  /**
   * Fills in a text with words in braces, for programs that need other variables: `{url}`, `{base}` (the URL without a
   * database, over TCP), `{host}`, `{port}`, `{user}`, `{password}` (empty over the socket), `{database}`, `{dataDir}`,
   * `{authority}` (the file with the certificate to trust, empty without `tls`).
   *
   * Throws `ERR_CLUSTER_INVALID_TEMPLATE` for any other word.
   *
   * @example
   * const env = { POSTGRES_DSN: db.fill('{base}'), DB_ADDRESS: db.fill('{host}:{port}') }
   */
  fill(template: string, database: string = this.database): string {
    return fillTemplate(template, { dataDir: this.dataDir, address: this.address, database })
  }

  /** The variables by which libpq and other clients find the server: `DATABASE_URL`, `PGDATA`, `PGHOST`, `PGPORT`, … */
  env(database: string = this.database): Record<string, string> {
    return connectionEnvironment(this.address, { dataDir: this.dataDir, database })
  }

  /**
   * The whole environment for a command: `base` without the variables that contradict {@link env}, plus {@link env}, with the
   * runtime's programs on PATH. With `tls`, Node programs trust the server's certificate, unless `base` names other
   * certificates for them.
   */
  commandEnv(database?: string, base: NodeJS.ProcessEnv = process.env): Record<string, string> {
    const { authority } = this.address
    return {
      ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: authority }),
      ...withoutConnection(base),
      ...this.env(database),
      PATH: this.runtime.path(base),
    }
  }

  /**
   * Runs a command with {@link commandEnv}, by execa and with its options.
   *
   * The command does not count as a user, so stay in the session as long as it needs the server.
   */
  async exec<O extends Options = Options>(
    command: string,
    args: readonly string[] = [],
    options?: O & { database?: string | undefined },
  ): Promise<Result<O>> {
    const { execa } = await import('execa')
    const { database, ...others }: Options & { database?: string | undefined } = options ?? {}
    const env = { ...this.commandEnv(database), ...others.env }
    return (await execa(command, args, {
      ...others,
      env,
      extendEnv: false,
    })) as unknown as Result<O>
  }

  /** Runs psql on the caller's terminal. Throws if there is no psql; the bundled runtimes have none. */
  async shell(
    args: readonly string[] = [],
    database?: string,
  ): Promise<Result<{ stdio: 'inherit' }>> {
    return await this.exec('psql', args, { stdio: 'inherit', database })
  }

  /** The server's settings, which can be read and changed permanently. */
  get settings(): Settings {
    return new Settings(this)
  }

  /** The snapshots of the server's databases. */
  get snapshots(): ServerSnapshots {
    return new ServerSnapshots(this)
  }

  /** `fast` as soon as fsync, full_page_writes or synchronous_commit is off, or not all is on disk since; else `safe`. */
  async mode(): Promise<Mode> {
    return await modeOf(new DataDirectory(this.dataDir), this, postgres)
  }

  /**
   * Sets the {@link Mode} for this and all later starts, without a restart.
   *
   * `fast` turns fsync and full_page_writes off. `safe` takes this back, and also a synchronous_commit that is off. Then it
   * makes a checkpoint, waits for the statements that began before, and syncs everything to disk, so when it resolves, all
   * committed data survives a crash. Rejects with `ERR_CLUSTER_NOT_SAFE` if a statement does not end in time, or if one of
   * the three settings is turned off otherwise than by `ALTER SYSTEM`.
   */
  async setMode(mode: Mode, options: PatienceOptions = {}): Promise<Outcome> {
    return await setMode(new DataDirectory(this.dataDir), this, mode, options)
  }

  /** Writes a database, by default the server's own one, into a file or a stream as SQL. See `dump` of `@howdah/dump`. */
  async dump(options: DumpOptions): Promise<Dumped> {
    const { dump } = await import('@howdah/dump')
    return await dump(this, options)
  }

  /** Loads SQL, as pg_dump writes it, into a database, by default the server's own one. See `load` of `@howdah/dump`. */
  async load(options: LoadOptions): Promise<Loaded> {
    const { load } = await import('@howdah/dump')
    return await load(this, options)
  }

  /** The names of all databases, templates included, in order, without snapshots and what is saved for `howdah undo`. */
  async databases(): Promise<string[]> {
    const { isOfHowdah } = await import('@howdah/snapshot')
    const rows = await this.#administer<{ datname: string }>(
      'SELECT datname FROM pg_catalog.pg_database ORDER BY datname',
    )
    return rows.map(({ datname }) => datname).filter((name) => !isOfHowdah(name))
  }

  /**
   * Creates a database with any name, as a copy of `template`, by default `template1`. `'unmodified'`: the database already
   * exists. Rejects early with `ERR_CLUSTER_TEMPLATE_IN_USE`, which names the clients of the template, unless `force` ends
   * their sessions.
   */
  async createDatabase(
    name: string,
    {
      template = template1,
      force = false,
    }: { template?: string | undefined; force?: boolean | undefined } = {},
  ): Promise<Outcome> {
    const loading = import('@howdah/snapshot')
    return await this.withAdministrator(async (client) => {
      const { copyUnused } = await loading
      const sql = 'SELECT FROM pg_catalog.pg_database WHERE datname = $1'
      if ((await client.query(sql, [name])).rowCount !== 0) return 'unmodified'
      try {
        await copyUnused(this, client, { from: template, to: name, allowConnections: true, force })
        return 'modified'
      } catch (error) {
        const { code } = error as pg.DatabaseError
        // 42P04: it exists now. 23505: another client has created it at the same moment.
        if (code === '42P04' || code === '23505') return 'unmodified'
        throw error
      }
    })
  }

  /** Drops a database. `'unmodified'`: it does not exist. Rejects with PostgreSQL's error 55006 if it is in use. */
  async dropDatabase(name: string): Promise<Outcome> {
    return await this.#changed(`DROP DATABASE ${await quoted(name)}`, ['3D000'])
  }

  /** The superusers that can log in, oldest first. */
  async superusers(): Promise<string[]> {
    const rows = await this.#administer<{ rolname: string }>(
      'SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid',
    )
    return rows.map(({ rolname }) => rolname)
  }

  /**
   * Names this moment as a restore point, has the WAL up to it archived, and gives its LSN.
   *
   * PostgreSQL refuses names of more than 63 bytes, and all names while `wal_level` is `minimal` (55000).
   */
  async createRestorePoint(name: string): Promise<string> {
    const { default: pg } = await import('pg')
    const [point] = await this.#administer<{ lsn: string }>(
      `SELECT pg_catalog.pg_create_restore_point(${pg.escapeLiteral(name)})::text AS lsn`,
    )
    await this.#administer('SELECT pg_catalog.pg_switch_wal()')
    return point?.lsn ?? ''
  }

  async #changed(statement: string, expected: readonly string[]): Promise<Outcome> {
    try {
      await this.#administer(statement)
      return 'modified'
    } catch (error) {
      if (expected.includes((error as pg.DatabaseError).code ?? '')) return 'unmodified'
      throw error
    }
  }

  async #administer<Row extends pg.QueryResultRow>(statement: string): Promise<Row[]> {
    return await this.withAdministrator(async (client) => (await client.query<Row>(statement)).rows)
  }

  /** @internal Runs an action on a connection to {@link postgres}. */
  async withAdministrator<T>(action: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.connect(postgres)
    try {
      return await action(client)
    } finally {
      await client.end()
    }
  }
}

async function quoted(name: string): Promise<string> {
  const { default: pg } = await import('pg')
  return pg.escapeIdentifier(name)
}
