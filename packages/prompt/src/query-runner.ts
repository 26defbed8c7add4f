import type { Client, QueryArrayConfig } from 'pg'
import { CopyingQuery, type CopyStreams } from './copying-query.ts'
import type { Host } from './host.ts'
import type { TextResult } from './result-table.ts'

/** Options of a statement. */
export interface RunOptions {
  readonly values?: readonly unknown[] | undefined
  readonly read?: CopyStreams['read'] | undefined
}

/** A connection for SQL that people write. Values stay the server's text, and a running statement can be cancelled. */
export class QueryRunner {
  readonly database: string
  readonly #host: Host
  readonly #client: Client
  readonly #backend: number
  #running = false

  private constructor(host: Host, database: string, client: Client, backend: number) {
    this.#host = host
    this.database = database
    this.#client = client
    this.#backend = backend
  }

  /** Connects. */
  static async open(host: Host, database: string): Promise<QueryRunner> {
    const client = await host.connect(database)
    client.on('notice', ({ severity, message }) =>
      host.message(`${severity ?? 'NOTICE'}:  ${message ?? ''}`),
    )
    const { rows } = await client.query<{ pid: number }>(
      'SELECT pg_catalog.pg_backend_pid() AS pid',
    )
    return new QueryRunner(host, database, client, rows[0]?.pid ?? 0)
  }

  /** Whether a statement is running. */
  get running(): boolean {
    return this.#running
  }

  /**
   * Runs SQL.
   *
   * Returns the result of each statement, except the data that COPY has written. `read` returns the data for `COPY … FROM
   * STDIN`; without it, such a statement fails.
   */
  async run(
    text: string,
    { values, read = nothingToCopy }: RunOptions = {},
  ): Promise<readonly TextResult[]> {
    const config: QueryArrayConfig = {
      text,
      rowMode: 'array',
      types: { getTypeParser: () => asText },
      ...(values !== undefined && { values: [...values] }),
    }
    this.#running = true
    try {
      const query = new CopyingQuery(config, { write: this.#host.write, read })
      return (await query.run(this.#client)) as TextResult[]
    } finally {
      this.#running = false
    }
  }

  /** Asks the server to cancel the running statement, which then fails. */
  async cancel(): Promise<void> {
    if (!this.#running) return
    const other = await this.#host.connect(this.database)
    try {
      await other.query('SELECT pg_catalog.pg_cancel_backend($1)', [this.#backend])
    } finally {
      await other.end()
    }
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

function nothingToCopy(): never {
  throw new Error('there is nothing here that COPY could read; give it with -f or -c')
}

function asText(value: string): string {
  return value
}
