import type pg from 'pg'
import { connect } from './connect.ts'
import { letProcessEnd } from './idle.ts'
import type { TestServer } from './test-server.ts'

/** How long the idle connection is kept, in ms. */
const patience = 5000

/**
 * The second connection of a process to the administrative database. It makes and drops databases, one after another, so that
 * other queries need not wait for that.
 */
export class Maker {
  readonly #server: TestServer
  readonly #database: string
  #client: pg.Client | null = null
  #last: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined

  constructor(server: TestServer, database: string) {
    this.#server = server
    this.#database = database
  }

  /** Runs a task after the earlier ones. */
  async run<T>(task: (client: pg.Client) => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      clearTimeout(this.#idle)
      const client = (this.#client ??= await this.#open())
      try {
        return await task(client)
      } finally {
        this.#idle = setTimeout(() => void this.close(), patience).unref()
      }
    })
    this.#last = done.catch(() => undefined)
    return await done
  }

  /** Ends the connection. The next task opens a new one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => undefined)
  }

  async #open(): Promise<pg.Client> {
    const client = await connect(this.#server, this.#database)
    client.once('end', () => {
      if (this.#client === client) this.#client = null
    })
    letProcessEnd(client)
    return client
  }
}
