import type { Leaser, LeaserOptions } from '../leaser.ts'
import { Terms } from '../terms.ts'
import { LeaseTable } from './lease-table.ts'
import { PostgresLeaser } from './postgres-leaser.ts'
import type { Queryable } from './queryable.ts'
import { meaninglessOption, peerMissing } from '../errors.ts'

/** The place of the lease, and how to reach the server. */
export interface PostgresLeaserOptions extends LeaserOptions {
  /** The name of the lease: a row of the table. */
  readonly name: string
  /** A `Pool` of pg, or a `Client` that nothing else uses. The caller ends it. */
  readonly pool?: Queryable | undefined
  /**
   * The server to connect to, instead of `pool`; by default the PG* variables name it. Disposal of the leaser closes its
   * pool.
   */
  readonly connectionString?: string | undefined
  /** The table, made if it is missing; `howdah_lease` by default. May be qualified by a schema. */
  readonly table?: string | undefined
  /** How long one query may take, in milliseconds; a sixth of `ttl`, at most 5,000, by default. */
  readonly requestTimeout?: number | undefined
}

/**
 * Keeps a lease as a row of a table in PostgreSQL 10 or newer. The server's clock decides.
 *
 * Disposal of the leaser closes the pool that it has made, never a given pool. Rejects with `ERR_LEASE_PEER_MISSING` if it
 * has to make a pool and pg is not installed.
 *
 * @example
 * await using leaser = await createPostgresLeaser({ name: 'nightly', connectionString })
 * await runWithLease(leaser, async (signal) => { … })
 */
export async function createPostgresLeaser(
  options: PostgresLeaserOptions,
): Promise<Leaser & AsyncDisposable> {
  const { name, connectionString, table = 'howdah_lease' } = options
  if (typeof name !== 'string' || name === '') throw meaninglessOption('name must be given')
  const terms = new Terms(options, 0)
  const timeout = options.requestTimeout ?? Math.min(5_000, terms.ttl / 6)
  if (!(timeout > 0)) throw meaninglessOption(`requestTimeout must be positive, and is ${timeout}`)
  const place = `postgres ${table}/${name}`
  if (options.pool !== undefined) {
    const rows = new LeaseTable(place, options.pool, table, name, timeout)
    return new PostgresLeaser(place, rows, terms, async () => {})
  }
  const { default: pg } = await loadLibrary()
  const pool = new pg.Pool({
    connectionString,
    max: 2,
    connectionTimeoutMillis: Math.ceil(timeout),
    query_timeout: Math.ceil(timeout),
    allowExitOnIdle: true,
    application_name: `howdah lease ${name}`,
  })
  // The server has ended an idle connection. The next query makes a new one.
  pool.on('error', (error) => terms.logger.warn?.(`${place}: ${error.message}`, { error }))
  const rows = new LeaseTable(place, pool, table, name, timeout)
  return new PostgresLeaser(place, rows, terms, () => pool.end())
}

async function loadLibrary() {
  try {
    return await import('pg')
  } catch (error) {
    throw peerMissing('PostgreSQL', 'pg', error)
  }
}
