import { readFileSync } from 'node:fs'
import type { Outcome } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import type { Options, Result } from 'execa'
import type pg from 'pg'
import type { Address } from './connecting/address.ts'
import { connectionUrl, isPlain } from './connecting/connection-url.ts'
import { DataDirectory, withoutConnection } from '@howdah/data-directory'
import { fillTemplate } from './connecting/fill-template.ts'
import { refuseTemplateUsers } from './connecting/template-users.ts'
import { type Mode, modeOf, setMode } from './settings/mode.ts'
import type { PatienceOptions } from './running/reload.ts'
import { Settings } from './settings/settings.ts'
import { whenReady } from './running/when-ready.ts'

/** The database that administrative connections use. */
export const postgres = 'postgres'
/** The database that new ones are copied from. */
export const template1 = 'template1'
/** The pristine copy of `template1`. */
export const template0 = 'template0'

/** A running PostgreSQL server: how to reach it, and what can be done with it. */
export class Server {
  /** Absolute. */
  readonly dataDir: string
  /** The database that is meant if none is named. */
  readonly database: string
  readonly address: Address
  /** The installation whose programs come first on the PATH of what is executed. */
  readonly runtime: Runtime

  /** In ms: how long a start may take, recovery included. */
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
   * What node-postgres is to be given, complete, so that none of its defaults come from the environment. It is told the
   * database, or further options of its own, which count.
   */
  clientOptions(options: string | pg.ClientConfig = {}): pg.ClientConfig {
    const { host, port, user, password, authority } = this.address
    const { database = this.database, ...more } =
      typeof options === 'string' ? { database: options } : options
    const told = Object.entries(more).filter(([, value]) => value !== undefined)
    return {
      host,
      port,
      user,
      database,
      ssl: authority === undefined ? false : { ca: readFileSync(authority, 'utf8') },
      application_name: 'howdah',
      client_encoding: 'UTF8',
      // What is left out or empty would be taken from PGPASSWORD and PGOPTIONS.
      password: password ?? (() => ''),
      options: ' ',
      ...Object.fromEntries(told),
    }
  }

  /**
   * A new connection, to be ended by the caller: `connect('app')`, `connect({ database: 'app' })`, with any other options of
   * node-postgres.
   *
   * While the server runs and lets nobody in, as after the crash of one of its processes, it is waited for, as long as a
   * start may take: then `ERR_CLUSTER_NOT_READY`. `ERR_CLUSTER_NOT_RUNNING` when it has gone.
   */
  async connect(options?: string | pg.ClientConfig): Promise<pg.Client> {
    const { default: pg } = await import('pg')
    const open = async () => {
      const client = new pg.Client(this.clientOptions(options))
      await client.connect()
      return client
    }
    return await whenReady(new DataDirectory(this.dataDir), open, { timeout: this.#patience })
  }

  /** A new pool, to be ended by the caller: `pool('app')`, `pool({ database: 'app', max: 5 })`, `pool('app', { max: 5 })`. */
  async pool(options: string | pg.PoolConfig = {}, more: pg.PoolConfig = {}): Promise<pg.Pool> {
    const { default: pg } = await import('pg')
    const all =
      typeof options === 'string' ? { ...more, database: options } : { ...options, ...more }
    return new pg.Pool(this.clientOptions(all))
  }

  /**
   * The connection as a URL, for psql, node-postgres and all that is built on them.
   *
   * For a socket it is `postgresql://user@localhost:port/database?host=/its/directory`: a client that does not know
   * `host` tries the port on this machine, and howdah picks one there at which nobody answers.
   *
   * Over TCP it says `sslmode=disable`, unless the server has SSL on: some drivers insist on SSL if they are told nothing. With
   * `tls` it says `sslmode=verify-full`, and the file with the certificate to trust as `sslrootcert`.
   *
   * Not every client can have every name of a database from a URL: the README has a table.
   */
  url(database: string = this.database): string {
    return connectionUrl(this.address, database)
  }

  /**
   * A text with words in braces filled in, for programs that want other variables: `{url}`, `{base}` (the URL without a
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
    const { host, port, user, password, authority } = this.address
    return {
      DATABASE_URL: this.url(database),
      PGDATA: this.dataDir,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGDATABASE: database,
      ...(password !== null && { PGPASSWORD: password }),
      ...(isPlain(this.address) && { PGSSLMODE: 'disable' }),
      ...(authority !== undefined && { PGSSLMODE: 'verify-full', PGSSLROOTCERT: authority }),
    }
  }

  /**
   * A whole environment for a command: `base` without what contradicts {@link env}, plus {@link env}, and the runtime's programs
   * on PATH. With `tls`, programs of Node trust the server's certificate, unless `base` names others for them.
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
   * Runs any command with {@link commandEnv}, with execa and its options.
   *
   * It is a process of its own: as long as it needs the server, stay.
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

  /** The server's settings: to read, and to change for good. */
  get settings(): Settings {
    return new Settings(this)
  }

  /** `fast` as soon as fsync, full_page_writes or synchronous_commit is off, or not all is on disk since; else `safe`. */
  async mode(): Promise<Mode> {
    return await modeOf(new DataDirectory(this.dataDir), this)
  }

  /**
   * Sets the {@link Mode} for this and all later starts, without a restart.
   *
   * `fast` turns fsync and full_page_writes off. `safe` takes that back, and synchronous_commit off, then makes a checkpoint,
   * waits for the statements that began before, and has everything synced to disk: when it resolves, what was committed
   * survives. Throws `ERR_CLUSTER_NOT_SAFE` when it cannot be so, because a statement does not end in time, or one of the
   * three is turned off elsewhere than by `ALTER SYSTEM`.
   */
  async setMode(mode: Mode, options: PatienceOptions = {}): Promise<Outcome> {
    return await setMode(new DataDirectory(this.dataDir), this, mode, options)
  }

  /** The names of all databases, templates included, in order. */
  async databases(): Promise<string[]> {
    const rows = await this.#administer<{ datname: string }>(
      'SELECT datname FROM pg_catalog.pg_database ORDER BY datname',
    )
    return rows.map(({ datname }) => datname)
  }

  /**
   * Creates a database of any name, a copy of `template`, which is `template1` by default; one that is there already is
   * `'unmodified'`. Throws `ERR_CLUSTER_TEMPLATE_IN_USE`, which says who is connected to the template, before anything is
   * waited for.
   */
  async createDatabase(
    name: string,
    { template = template1 }: { template?: string | undefined } = {},
  ): Promise<Outcome> {
    const [database, source] = [await quoted(name), await quoted(template)]
    return await this.withAdministrator(async (client) => {
      const sql = 'SELECT FROM pg_catalog.pg_database WHERE datname = $1'
      if ((await client.query(sql, [name])).rowCount !== 0) return 'unmodified'
      await refuseTemplateUsers(client, this.dataDir, template)
      try {
        await client.query(`CREATE DATABASE ${database} TEMPLATE ${source}`)
        return 'modified'
      } catch (error) {
        const { code } = error as pg.DatabaseError
        // 42P04: it exists by now. 23505: another has created it at the same moment.
        if (code === '42P04' || code === '23505') return 'unmodified'
        // Somebody has come meanwhile.
        if (code === '55006') await refuseTemplateUsers(client, this.dataDir, template)
        throw error
      }
    })
  }

  /** Drops a database; a missing one is `'unmodified'`. One that is in use is PostgreSQL's own error 55006. */
  async dropDatabase(name: string): Promise<Outcome> {
    return await this.#changed(`DROP DATABASE ${await quoted(name)}`, ['3D000'])
  }

  /** The roles that are superuser and can log in, oldest first. */
  async superusers(): Promise<string[]> {
    const rows = await this.#administer<{ rolname: string }>(
      'SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid',
    )
    return rows.map(({ rolname }) => rolname)
  }

  /**
   * Gives this moment a name to restore to, and has the WAL up to here archived; its LSN.
   *
   * PostgreSQL refuses names of more than 63 bytes, and any while `wal_level` is `minimal` (55000).
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

  /** @internal Does something on a connection to {@link postgres}. */
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
