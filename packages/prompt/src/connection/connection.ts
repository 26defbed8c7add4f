import type { Client, Notification } from 'pg'
import type { Host } from '../host.ts'
import type { ServerMessage } from './describe-server-message.ts'
import { type QueryHandler, type TextResult, WireQuery } from './wire-query.ts'

/** What the server has said of the connection at its beginning. */
interface Facts {
  readonly pid: number
  readonly user: string
  /** As in `180003`. */
  readonly versionNumber: number
  readonly version: string
}

/** A connection for SQL that people write. A running statement can be cancelled. */
export class Connection {
  readonly database: string
  readonly facts: Facts
  readonly #host: Host
  readonly #client: Client
  /** The server's settings that it reports when they change. */
  readonly #parameters = new Map<string, string>()
  #running = 0
  #lost = false

  private constructor(host: Host, database: string, client: Client, facts: Facts) {
    this.#host = host
    this.database = database
    this.#client = client
    this.facts = facts
  }

  /** Connects. */
  static async open(
    host: Host,
    { database, user }: { database: string; user?: string | undefined },
    onNotice: (notice: ServerMessage) => void,
    onNotification: (notification: Notification) => void,
  ): Promise<Connection> {
    const client = await host.connect({ database, user })
    const { rows } = await client.query<Record<string, string>>(
      `SELECT pg_catalog.pg_backend_pid()::text AS pid, session_user AS "user",
         pg_catalog.current_setting('server_version_num') AS number,
         pg_catalog.current_setting('server_version') AS version,
         pg_catalog.current_setting('is_superuser') AS superuser`,
    )
    const { pid, user: name = '', number, version = '', superuser = '' } = rows[0] ?? {}
    const facts = { pid: Number(pid), user: name, versionNumber: Number(number), version }
    const connection = new Connection(host, database, client, facts)
    connection.#parameters.set('is_superuser', superuser)
    client.on('notice', (notice) => onNotice(notice))
    client.on('notification', onNotification)
    // If the connection breaks, the waiting statement fails.
    client.on('error', () => undefined)
    client.once('end', () => {
      connection.#lost = true
    })
    wireOf(client).on('parameterStatus', ({ parameterName, parameterValue }) =>
      connection.#parameters.set(parameterName, parameterValue),
    )
    return connection
  }

  /** Where the server is: the directory of its socket or its host, and its port. */
  get place(): { readonly host: string; readonly port: number } {
    return { host: this.#client.host, port: this.#client.port }
  }

  /** Whether a statement runs. */
  get running(): boolean {
    return this.#running > 0
  }

  /** Whether the connection has ended. */
  get lost(): boolean {
    return this.#lost
  }

  get isSuperuser(): boolean {
    return this.#parameters.get('is_superuser') === 'on'
  }

  /** The encoding in which the server sends text. Only UTF8 is understood. */
  get encoding(): string {
    return this.#parameters.get('client_encoding') ?? 'UTF8'
  }

  /** Whether a transaction is open (`'open'`), or has failed (`'failed'`). */
  get transaction(): 'none' | 'open' | 'failed' {
    const client = this.#client as { getTransactionStatus?(): string | null }
    const letter = client.getTransactionStatus?.() ?? 'I'
    return letter === 'T' ? 'open' : letter === 'E' ? 'failed' : 'none'
  }

  /** Runs SQL. Rejects with the server's error. */
  async run(text: string, handler: QueryHandler): Promise<void> {
    this.#running += 1
    try {
      await new WireQuery(text, handler).run(this.#client)
    } finally {
      this.#running -= 1
    }
  }

  /** Runs a statement of our own, and returns its result. */
  async ask(text: string): Promise<TextResult> {
    let result: TextResult | null = null
    await this.run(text, {
      onResult: async (one) => {
        result = await Promise.resolve(one)
      },
      write: async () => undefined,
      read: () => {
        throw new Error('there is nothing to copy')
      },
    })
    if (result === null) throw new Error(`no answer to ${text}`)
    return result
  }

  /** Asks the server to cancel the running statement, which then fails. */
  async cancel(): Promise<void> {
    if (!this.running) return
    const other = await this.#host.connect({ database: this.database })
    try {
      await other.query('SELECT pg_catalog.pg_cancel_backend($1)', [this.facts.pid])
    } finally {
      await other.end()
    }
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

/** The connection below a client, which node-postgres's types lack. */
function wireOf(client: Client): {
  on(
    event: 'parameterStatus',
    listener: (message: { parameterName: string; parameterValue: string }) => void,
  ): unknown
} {
  return (client as unknown as { connection: ReturnType<typeof wireOf> }).connection
}
