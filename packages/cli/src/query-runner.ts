import type { Session } from '@howdah/cluster'
import type { Client, QueryArrayConfig, QueryArrayResult } from 'pg'
import type { TextResult } from './result-table.ts'

/** One connection for SQL that people write: values stay the server's text, and what runs can be cancelled. */
export class QueryRunner {
  readonly database: string
  readonly #session: Session
  readonly #client: Client
  readonly #backend: number
  #running = false

  private constructor(session: Session, database: string, client: Client, backend: number) {
    this.#session = session
    this.database = database
    this.#client = client
    this.#backend = backend
  }

  /** Connects; `onNotice` is told what the server says besides results. */
  static async open(
    session: Session,
    database: string,
    onNotice: (text: string) => void,
  ): Promise<QueryRunner> {
    const client = await session.connect(database)
    client.on('notice', ({ severity, message }) =>
      onNotice(`${severity ?? 'NOTICE'}:  ${message ?? ''}`),
    )
    const { rows } = await client.query<{ pid: number }>(
      'SELECT pg_catalog.pg_backend_pid() AS pid',
    )
    return new QueryRunner(session, database, client, rows[0]?.pid ?? 0)
  }

  /** Whether a statement runs at this moment. */
  get running(): boolean {
    return this.#running
  }

  /** Runs SQL, and gives the result of each statement in it. */
  async run(text: string, values?: readonly unknown[]): Promise<readonly TextResult[]> {
    const config: QueryArrayConfig = {
      text,
      rowMode: 'array',
      types: { getTypeParser: () => asText },
      ...(values !== undefined && { values: [...values] }),
    }
    this.#running = true
    try {
      // Several statements have several results, whatever the types say.
      const answer = (await this.#client.query(config)) as QueryArrayResult | QueryArrayResult[]
      return (Array.isArray(answer) ? answer : [answer]) as TextResult[]
    } finally {
      this.#running = false
    }
  }

  /** Asks the server to give up the statement that runs; that one then fails. */
  async cancel(): Promise<void> {
    if (!this.#running) return
    const other = await this.#session.connect(this.database)
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

function asText(value: string): string {
  return value
}
