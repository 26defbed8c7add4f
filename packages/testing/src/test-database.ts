import type pg from 'pg'
import { Client, Pool } from 'pg'
import { startingWith } from './database/first-connection.ts'
import { TestingError } from './errors.ts'
import { keepAlive } from './keep-alive.ts'

/** What a database is given to work with. */
export interface Tenancy {
  readonly url: string
  readonly env: Readonly<Record<string, string>>
  readonly first: pg.Client
  readonly clientOptions: pg.ClientConfig
  connect(): Promise<pg.Client>
  reset(): Promise<void>
  readonly keep: () => Promise<void>
  giveBack(isKept: boolean): Promise<void>
}

/**
 * A database of a test's own, as the template was. Dispose of it, or call {@link release}: that closes what was opened here, and
 * the database is dropped in the background.
 */
export class TestDatabase implements AsyncDisposable {
  readonly name: string
  /** For node-postgres, psql, and everything else that takes a URL. */
  readonly url: string
  /** `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, …: what leads clients here. */
  readonly env: Readonly<Record<string, string>>
  readonly #tenancy: Tenancy
  readonly #pools: OpenPool[] = []
  readonly #clients: pg.Client[] = []
  #first: pg.Client | null
  #isKept = false
  #released: Promise<void> | null = null

  /** @internal Made by {@link TestDatabases.create}. */
  constructor(name: string, tenancy: Tenancy) {
    this.name = name
    this.url = tenancy.url
    this.env = tenancy.env
    this.#tenancy = tenancy
    this.#first = tenancy.first
  }

  /** Runs a query on the {@link pool}. */
  async query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>> {
    return await this.pool().query<Row>(text, values)
  }

  /**
   * A pool of connections, closed at the latest when the database is given back. Without options it is always the same one. The
   * first client of the first pool is connected already.
   */
  pool(options?: pg.PoolConfig): pg.Pool {
    this.#refuseReleased()
    const [known] = this.#pools
    if (options === undefined && known !== undefined) return known.pool
    const first = this.#first
    this.#first = null
    const pool = new Pool({
      allowExitOnIdle: true,
      ...options,
      ...this.#tenancy.clientOptions,
      ...(first !== null && { Client: startingWith(first, Client) }),
    })
    // Without a listener, a connection that is lost while it is idle ends the process.
    pool.on('error', () => undefined)
    const open: OpenPool = { pool, clients: new Set() }
    pool.on('connect', (client) => {
      open.clients.add(client)
      // One that is checked out has nobody else who listens.
      client.on('error', () => undefined)
    })
    if (options === undefined) this.#pools.unshift(open)
    else this.#pools.push(open)
    return pool
  }

  /** A new connection, closed at the latest when the database is given back. */
  async connect(): Promise<pg.Client> {
    this.#refuseReleased()
    const client = await this.#tenancy.connect()
    this.#clients.push(client)
    return client
  }

  /**
   * Brings all rows and sequences back to what they were in the template. Nobody's connection is closed. Throws
   * `ERR_TESTING_SCHEMA_CHANGED` if the test has changed the schema, and `ERR_TESTING_RESET_BLOCKED` if a transaction holds a
   * table for 5 seconds: `create()` another one then.
   */
  async reset(): Promise<void> {
    this.#refuseReleased()
    await this.#tenancy.reset()
  }

  /**
   * The database stays after the test, until `howdah testdb drop`, and the command that opens a shell on it is printed. A server
   * of our own stays, too.
   */
  async keep(): Promise<void> {
    this.#refuseReleased()
    if (this.#isKept) return
    await keepAlive(this.#tenancy.keep)
    this.#isKept = true
  }

  /**
   * Gives the database back: ends the pools and connections that were opened here, and drops it in the background. Connections
   * that were made by {@link url} are not closed; while there are any the database stays.
   */
  async release(): Promise<void> {
    this.#released ??= keepAlive(async () => await this.#release())
    await this.#released
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #release(): Promise<void> {
    const first = this.#first
    this.#first = null
    await Promise.all([
      ...this.#pools.map(endPool),
      ...this.#clients.map(endClient),
      ...(first === null ? [] : [endClient(first)]),
    ])
    await this.#tenancy.giveBack(this.#isKept)
  }

  #refuseReleased(): void {
    if (this.#released === null) return
    throw new TestingError(
      'ERR_TESTING_ENDED',
      `the database ${this.name} was given back already; create() another one`,
    )
  }
}

/** A pool, and the clients that it has made. */
interface OpenPool {
  readonly pool: pg.Pool
  readonly clients: Set<pg.PoolClient>
}

/** In ms: how long a client that was taken from a pool and not given back may hold up the end of the test. */
const patience = 200

async function endPool({ pool, clients }: OpenPool): Promise<void> {
  if (pool.ended || pool.ending) return
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<'late'>((done) => {
    timer = setTimeout(() => done('late'), patience)
  })
  const outcome = await Promise.race([pool.end(), enough])
  clearTimeout(timer)
  if (outcome === 'late')
    await Promise.all([...clients].map(async (client) => await endClient(client)))
}

async function endClient(client: pg.Client | pg.PoolClient): Promise<void> {
  await client.end().catch(() => undefined)
}
