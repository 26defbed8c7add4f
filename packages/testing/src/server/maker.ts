import type pg from 'pg'
import { isState } from './connect.ts'
import { letProcessEnd } from './idle.ts'

/** How long the idle connection is kept, in ms. */
const patience = 5000
/** A drop is given up after this share of the timeout, but after 3 s at most, and no other is tried for as long again. */
const shareOfDrop = 1 / 12
/** In ms. */
const longestFirstDrop = 3000

/**
 * The second connection of a process to the administrative database. It makes and drops databases, one after another, so that
 * other queries need not wait for that.
 */
export class Maker {
  readonly #connect: () => Promise<pg.Client>
  readonly #firstDrop: number
  #client: pg.Client | null = null
  #last: Promise<unknown> = Promise.resolve()
  #tasks = 0
  #idle: NodeJS.Timeout | undefined
  /** In ms. It doubles with each drop that is given up, and begins anew with one that succeeds. */
  #longestDrop: number
  #nextDrop = -Infinity

  /** `timeout` is how long to wait for other processes, in ms. */
  constructor(connect: () => Promise<pg.Client>, timeout: number) {
    this.#connect = connect
    this.#firstDrop = Math.min(timeout * shareOfDrop, longestFirstDrop)
    this.#longestDrop = this.#firstDrop
  }

  /** Runs a task after the earlier ones. */
  async run<T>(task: (client: pg.Client) => Promise<T>): Promise<T> {
    this.#tasks += 1
    const done = this.#last.then(async () => {
      clearTimeout(this.#idle)
      const client = (this.#client ??= await this.#open())
      try {
        return await task(client)
      } finally {
        this.#idle = setTimeout(() => void this.close(), patience).unref()
      }
    })
    const over = () => (this.#tasks -= 1)
    this.#last = done.then(over, over)
    return await done
  }

  /** Ends the connection if it is idle, because this process waits for another one, and others may do so, too. */
  async giveWay(): Promise<void> {
    if (this.#tasks === 0) await this.close()
  }

  /** Whether drops are to be put off, because the last one was given up. */
  get isObstructed(): boolean {
    return performance.now() < this.#nextDrop
  }

  /**
   * Runs a task that drops a database, and gives its result. Gives `undefined` if drops are put off, or if this one is given up
   * after a while, so that others can go on. The database then cannot be used any more, and can still be dropped.
   *
   * `DROP DATABASE` waits for every connection of the server that is just logging in by a password. A suspended client can
   * keep it waiting until `authentication_timeout`, which is a minute. Source: `dropdb` in PostgreSQL's `dbcommands.c`, and
   * `WaitForProcSignalBarrier`.
   */
  async drop<T>(task: (client: pg.Client) => Promise<T>): Promise<T | undefined> {
    return await this.run(async (client) => {
      // The one before may have been given up while this one waited for its turn.
      if (this.isObstructed) return undefined
      await client.query(`SET statement_timeout = ${Math.ceil(this.#longestDrop)}`)
      try {
        const result = await task(client)
        this.#longestDrop = this.#firstDrop
        return result
      } catch (error) {
        // query_canceled
        if (!isState(error, '57014')) throw error
        this.#nextDrop = performance.now() + this.#longestDrop
        this.#longestDrop *= 2
        return undefined
      } finally {
        await client.query('RESET statement_timeout').catch(() => undefined)
      }
    })
  }

  /** Ends the connection. The next task opens a new one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => undefined)
  }

  async #open(): Promise<pg.Client> {
    const client = await this.#connect()
    client.once('end', () => {
      if (this.#client === client) this.#client = null
    })
    letProcessEnd(client)
    return client
  }
}
