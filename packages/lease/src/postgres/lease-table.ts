import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../reason-of.ts'
import type { Queryable } from './queryable.ts'
import { type LeaseError, storeRefused, storeUnavailable } from '../errors.ts'

/** A state of the lease's row. The times are those of the server's clock. */
export interface LeaseRow {
  readonly generation: bigint
  readonly owner: string
  readonly nonce: string
  /** Milliseconds since 1970; ±Infinity is possible; 0 if the lease was released. */
  readonly expiresAt: number
  /** The server's time when it answered, in milliseconds since 1970. */
  readonly now: number
}

/** How many times a query without a clear answer is tried. */
const attempts = 4

/** The SQLSTATE of a write in a read-only transaction. It is temporary: a standby may be promoted. */
const readOnly = '25006'

/**
 * The SQLSTATEs of making a table while another process makes it: the conflict may be in the name, the table, or its row
 * type.
 */
const collisions: ReadonlySet<string> = new Set(['23505', '42P07', '42710'])

const columns = `generation::text AS generation, owner, nonce,
  CASE WHEN isfinite(expires_at) THEN extract(epoch FROM expires_at)::float8 * 1000
       WHEN expires_at > 'epoch' THEN 'Infinity'::float8 ELSE '-Infinity'::float8 END AS expires_at,
  extract(epoch FROM clock_timestamp())::float8 * 1000 AS now`

/** A commit that the server has acknowledged must survive a crash of the server, or a generation could be used twice. */
const durable = `set_config('synchronous_commit', CASE current_setting('synchronous_commit')
  WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`

/** The row of a lease. Each method is one statement, which may be repeated, because a repetition recognizes its own nonce. */
export class LeaseTable {
  readonly #place: string
  readonly #pool: Queryable
  readonly #table: string
  readonly #name: string
  readonly #timeout: number
  #made: Promise<void> | undefined

  constructor(place: string, pool: Queryable, table: string, name: string, timeout: number) {
    this.#place = place
    this.#pool = pool
    this.#table = table.split('.').map(quoted).join('.')
    this.#name = name
    this.#timeout = timeout
  }

  /** The present row; `null` if there is none. */
  async read(signal?: AbortSignal): Promise<LeaseRow | null> {
    return this.#ask(signal, `SELECT ${columns} FROM ${this.#table} WHERE name = $1`, [this.#name])
  }

  /**
   * Takes the row if it is missing or its lease is over. Gives the new row, or `null`.
   *
   * A late copy of the statement recognizes its own nonce, and does not take a lease again that was released since.
   */
  async take(
    owner: string,
    nonce: string,
    ttl: number,
    signal?: AbortSignal,
  ): Promise<LeaseRow | null> {
    return this.#ask(
      signal,
      `INSERT INTO ${this.#table} AS held (name, generation, owner, nonce, expires_at)
       SELECT $1, 1, $2, $3, clock_timestamp() + $4 * interval '1 ms' FROM ${durable} AS durable
       ON CONFLICT (name) DO UPDATE SET
         generation = held.generation + (held.nonce <> excluded.nonce)::int,
         owner = excluded.owner, nonce = excluded.nonce,
         expires_at = clock_timestamp() + $4 * interval '1 ms'
       WHERE held.generation > 0 AND CASE WHEN held.nonce = excluded.nonce
         THEN held.expires_at <> 'epoch' ELSE held.expires_at < clock_timestamp() END
       RETURNING ${columns}`,
      [this.#name, owner, nonce, ttl],
    )
  }

  /** Moves the end of a holding that was not released. Gives the new row, or `null`. */
  async extend(
    generation: bigint,
    nonce: string,
    ttl: number,
    signal?: AbortSignal,
  ): Promise<LeaseRow | null> {
    return this.#ask(
      signal,
      `UPDATE ${this.#table} SET expires_at = clock_timestamp() + $4 * interval '1 ms'
       FROM ${durable} AS durable
       WHERE name = $1 AND generation = $2 AND nonce = $3 AND expires_at <> 'epoch'
       RETURNING ${columns}`,
      [this.#name, generation, nonce, ttl],
    )
  }

  /** Ends a holding. Gives the row, or `null` if the row belongs to another holding or was already released. */
  async free(generation: bigint, nonce: string, signal?: AbortSignal): Promise<LeaseRow | null> {
    return this.#ask(
      signal,
      `UPDATE ${this.#table} SET expires_at = 'epoch' FROM ${durable} AS durable
       WHERE name = $1 AND generation = $2 AND nonce = $3 AND expires_at <> 'epoch'
       RETURNING ${columns}`,
      [this.#name, generation, nonce],
    )
  }

  /** Ends any holding, and increments the generation. */
  async reset(owner: string, nonce: string, signal?: AbortSignal): Promise<LeaseRow | null> {
    return this.#ask(
      signal,
      `INSERT INTO ${this.#table} AS held (name, generation, owner, nonce, expires_at)
       SELECT $1, 1, $2, $3, 'epoch' FROM ${durable} AS durable
       ON CONFLICT (name) DO UPDATE SET
         generation = greatest(held.generation, 0) + (held.nonce <> excluded.nonce)::int,
         owner = excluded.owner, nonce = excluded.nonce, expires_at = 'epoch'
       RETURNING ${columns}`,
      [this.#name, owner, nonce],
    )
  }

  /** Repeats a statement until there is a clear answer. */
  async #ask(
    signal: AbortSignal | undefined,
    text: string,
    values: unknown[],
  ): Promise<LeaseRow | null> {
    let failure: unknown
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await pause(attempt, signal)
      try {
        this.#made ??= this.#make()
        await this.#made
        const { rows } = await this.#query(text, values, signal)
        return rows[0] === undefined ? null : toRow(rows[0])
      } catch (error) {
        this.#made = undefined
        signal?.throwIfAborted()
        if (!isUnclear(error)) {
          throw storeRefused(
            this.#place,
            `${(error as Error).message}; check the connection, the table ${this.#table} and the permissions`,
            error,
          )
        }
        failure = error
      }
    }
    throw await this.#unavailable(failure)
  }

  async #unavailable(failure: unknown): Promise<LeaseError> {
    if (sqlState(failure) !== readOnly) {
      const what = `did not answer clearly, ${attempts} times: ${reasonOf(failure)}`
      return storeUnavailable(this.#place, what, failure)
    }
    const isStandby = await this.#isStandby()
    const why = isStandby
      ? 'is on a standby, which cannot be written'
      : 'cannot be written, for default_transaction_read_only is on'
    const cure = isStandby
      ? 'give the address of the primary, or promote the standby'
      : 'turn that off for this user or database'
    return storeUnavailable(this.#place, why, failure, cure)
  }

  async #isStandby(): Promise<boolean> {
    try {
      const { rows } = await this.#query('SELECT pg_is_in_recovery() AS standby')
      return rows[0]?.['standby'] === true
    } catch {
      return false
    }
  }

  /** Makes the table if it is missing. A role that may not create tables can use an existing table. */
  async #make(): Promise<void> {
    const { rows } = await this.#query('SELECT to_regclass($1) IS NULL AS missing', [this.#table])
    if (rows[0]?.['missing'] !== true) return
    try {
      await this.#query(`CREATE TABLE IF NOT EXISTS ${this.#table} (
        name text PRIMARY KEY,
        generation bigint NOT NULL,
        owner text NOT NULL,
        nonce text NOT NULL,
        expires_at timestamptz NOT NULL
      )`)
    } catch (error) {
      // Two processes that create it at the same time collide in the catalogs, even with `IF NOT EXISTS`.
      if (!collisions.has(sqlState(error))) throw error
    }
  }

  /** Runs a query with a time limit, because a given client may have none. */
  async #query(text: string, values: unknown[] = [], signal?: AbortSignal) {
    let timer: NodeJS.Timeout | undefined
    let forward: (() => void) | undefined
    const over = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no answer within ${this.#timeout} ms`)),
        this.#timeout,
      )
      forward = () => reject(signal?.reason as Error)
      signal?.addEventListener('abort', forward, { once: true })
    })
    try {
      signal?.throwIfAborted()
      return await Promise.race([this.#pool.query(text, values), over])
    } finally {
      clearTimeout(timer)
      if (forward !== undefined) signal?.removeEventListener('abort', forward)
    }
  }
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

function toRow(row: Record<string, unknown>): LeaseRow {
  return {
    generation: BigInt(row['generation'] as string),
    owner: row['owner'] as string,
    nonce: row['nonce'] as string,
    expiresAt: Number(row['expires_at']),
    now: Number(row['now']),
  }
}

function sqlState(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : ''
}

/**
 * Whether the statement may have been executed, or may succeed at the next try. Classes: 08 connection, 40 rollback, 53
 * resources,
 * 57 operator intervention (PostgreSQL manual, appendix A); no SQLSTATE: the network.
 */
function isUnclear(error: unknown): boolean {
  const state = sqlState(error)
  return state === '' || /^(08|40|53|57)/.test(state) || [readOnly, '42P01'].includes(state)
}

async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const time = 50 * 2 ** (attempt - 1) * (0.5 + Math.random())
  await sleep(time, undefined, { signal }).catch(() => signal?.throwIfAborted())
}
