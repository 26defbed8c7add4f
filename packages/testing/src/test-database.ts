import type pg from 'pg'
import { Client, Pool } from 'pg'
import { endSoon, startingWith } from './database/first-connection.ts'
import { TestingError } from './errors.ts'
import { keepAlive } from './keep-alive.ts'

/** The context of a database. */
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
 * A database for one test, a copy of the template. Dispose of it, or call {@link release}: that closes its pools and
 * connections, and the database is dropped in the background.
 */
export class TestDatabase implements AsyncDisposable {
  readonly name: string
  /** For node-postgres, psql, and everything else that takes a URL. */
  readonly url: string
  /** `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, …: the variables by which clients find the database. */
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
   * A pool of connections, which is closed when the database is given back, if not before. Without options it is always the
   * same pool. The first client of the first pool is already connected.
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
    // Without a listener, a lost idle connection would end the process.
    pool.on('error', () => undefined)
    const open: OpenPool = { pool, clients: new Set() }
    pool.on('connect', (client) => {
      open.clients.add(client)
      // A client that is checked out has no other error listener.
      client.on('error', () => undefined)
    })
    if (options === undefined) this.#pools.unshift(open)
    else this.#pools.push(open)
    return pool
  }

  /** A new connection. It is closed when the database is given back, if not before. */
  async connect(): Promise<pg.Client> {
    this.#refuseReleased()
    const client = await this.#tenancy.connect()
    this.#clients.push(client)
    return client
  }

  /**
   * Restores all rows and sequences to those of the template. No connection is closed. Rejects with
   * `ERR_TESTING_SCHEMA_CHANGED` if the test has changed the schema, and with `ERR_TESTING_RESET_BLOCKED` if a transaction
   * holds a table for 5 seconds; then `create()` another database.
   */
  async reset(): Promise<void> {
    this.#refuseReleased()
    await this.#tenancy.reset()
  }

  /**
   * Keeps the database after the test, until `howdah testdb drop`, and prints the command that opens a shell on it. Our own
   * server also stays.
   */
  async keep(): Promise<void> {
    this.#refuseReleased()
    if (this.#isKept) return
    await keepAlive(this.#tenancy.keep)
    this.#isKept = true
  }

  /**
   * Gives the database back: ends its pools and connections, and drops it in the background. Connections that were made by
   * {@link url} are not closed, and the database stays while there are any.
   */
  async release(): Promise<void> {
    this.#released ??= keepAlive(async () => await this.#release())
    await this.#released
  }

  /** Releases, as {@link release} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #release(): Promise<void> {
    const first = this.#first
    this.#first = null
    if (first !== null) endSoon(async () => await first.end())
    await Promise.all([...this.#pools.map(endPool), ...this.#clients.map(endClient)])
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

/** How long a client that was taken from a pool and not given back may delay the end of the test, in ms. */
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
