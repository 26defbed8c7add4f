import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Connectable } from './connectable.ts'

/** A row that was committed, and what could be asked for to have it back. */
export interface Written {
  readonly n: number
  readonly transaction: bigint
  /** Where the WAL was after the commit. */
  readonly lsn: string
  /** By the server's clock, after the commit. */
  readonly time: string
}

/** Writes rows into a table `written`, one after another, each a transaction of its own. */
export class Writer {
  readonly rows: Written[] = []
  readonly #client: pg.Client
  #stopped = false
  #writing: Promise<void> = Promise.resolve()

  readonly #first: number

  private constructor(client: pg.Client, first: number) {
    this.#client = client
    this.#first = first
  }

  static async on(server: Connectable, first = 1): Promise<Writer> {
    const client = await server.connect()
    await client.query('CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, filler text)')
    return new Writer(client, first)
  }

  /** Writes one row. */
  async write(): Promise<Written> {
    const n = this.#first + this.rows.length
    const { rows } = await this.#client.query<{ transaction: string }>(
      `INSERT INTO written VALUES ($1, repeat('x', 500)) RETURNING txid_current() AS transaction`,
      [n],
    )
    // Other functions before 10.
    const after = await this.#client.query<{ lsn: string; time: string }>(
      'SELECT pg_current_wal_lsn()::text AS lsn, clock_timestamp()::text AS time',
    )
    const row = { n, transaction: BigInt(rows[0]!.transaction), ...after.rows[0]! }
    this.rows.push(row)
    return row
  }

  /** Goes on writing until it is stopped. */
  start(): void {
    this.#stopped = false
    this.#writing = (async () => {
      while (!this.#stopped) {
        await this.write()
        // Some hundred rows a second are enough to be in the midst of anything; without a rest they would take a core.
        await sleep(3)
      }
    })()
  }

  /** Stops writing, when the row that is being written is. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#writing
  }
}

/** The rows that are there. */
export async function readRows(server: Connectable): Promise<number[]> {
  const client = await server.connect()
  try {
    const { rows } = await client.query<{ n: number }>('SELECT n FROM written ORDER BY n')
    return rows.map(({ n }) => n)
  } finally {
    await client.end()
  }
}
