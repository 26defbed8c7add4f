import type pg from 'pg'
import { isState, thisProcess } from '../server/connect.ts'
import { connectPatiently } from '../server/connect-patiently.ts'
import { copyDatabase } from '../server/database-statements.ts'
import type { Label } from '../server/label.ts'
import { letProcessEnd } from '../server/idle.ts'
import { databaseName } from '../server/names.ts'
import { explained } from '../server/explained.ts'
import type { Workplace } from '../workplace.ts'

/** A new database of ours, connected to, that nobody has used. */
export interface Fresh {
  readonly name: string
  readonly client: pg.Client
  /** Whether the connection is still there. */
  isOpen(): boolean
}

/** Somebody who waits for a database. */
interface Waiting {
  take(fresh: Fresh): void
  fail(error: unknown): void
}

/** What databases are copied from. */
interface Source {
  readonly name: string
  readonly project: string
  /** Makes it again, if somebody has dropped it. */
  provideAgain(): Promise<void>
}

/** Which share of the server's connections may be taken before no more are opened ahead. */
const fullness = 0.7

/**
 * Databases that are made, and connected to, before anybody asks: as many as were in use at once. A process that ends leaves its
 * own to the next one, since nobody has used them.
 */
export class Supply {
  readonly #place: Workplace
  readonly #source: Source
  readonly #most: number
  readonly #ready: Fresh[] = []
  readonly #waiting: Waiting[] = []
  /** Those that another process has made and left, and that are ours now. */
  readonly #adopted: string[]
  #making = 0
  readonly #pending = new Set<Promise<unknown>>()
  #used = 0
  #ended = false

  constructor(place: Workplace, source: Source, most: number, adopted: readonly string[]) {
    this.#place = place
    this.#source = source
    this.#most = most
    this.#adopted = [...adopted]
  }

  /** One of them. It counts as used until {@link gaveBack}. */
  async take(): Promise<Fresh> {
    this.#used += 1
    try {
      for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
        this.#refill()
        if (next.isOpen()) return next
      }
      const made = new Promise<Fresh>((take, fail) => this.#waiting.push({ take, fail }))
      this.#refill()
      return await made
    } catch (error) {
      this.#used -= 1
      throw error
    }
  }

  gaveBack(): void {
    this.#used -= 1
  }

  /** A database as the template is, for reading only. */
  async peek<T>(read: (client: pg.Client) => Promise<T>): Promise<T> {
    const fresh = await this.take()
    this.gaveBack()
    const found = await read(fresh.client)
    this.#offer(Promise.resolve(fresh))
    return found
  }

  /** Ends the connections, and gives the names of the databases that are left. */
  async end(): Promise<string[]> {
    this.#ended = true
    await Promise.all(this.#pending)
    const left = this.#ready.splice(0)
    await Promise.all(left.map(async ({ client }) => await client.end().catch(() => undefined)))
    return [...left.map(({ name }) => name), ...this.#adopted.splice(0)]
  }

  /** Has as many made as are waited for, and as many more as are in use. */
  #refill(): void {
    const ahead = Math.min(this.#most, this.#used)
    const wanted = this.#waiting.length + Math.max(ahead - this.#ready.length, 0)
    while (!this.#ended && this.#making < wanted) {
      const isUrgent = this.#making < this.#waiting.length
      this.#making += 1
      const made = (isUrgent ? this.#make() : this.#makeAhead()).finally(() => {
        this.#making -= 1
      })
      this.#offer(made)
    }
  }

  /** Connections are shared with others: those that nobody needs yet are opened only while there are plenty. */
  async #makeAhead(): Promise<Fresh> {
    const { administrator } = this.#place
    const [row] = await administrator.query<{ taken: number }>(
      'SELECT count(*)::int AS taken FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL',
    )
    const isUrgent = this.#waiting.length > 0
    if (!isUrgent && (row?.taken ?? 0) > fullness * administrator.facts.maxConnections)
      throw new Error('there are few connections left')
    return await this.#make()
  }

  #offer(made: Promise<Fresh>): void {
    const offered = this.#handOut(made)
    this.#pending.add(offered)
    void offered.finally(() => this.#pending.delete(offered))
  }

  async #handOut(made: Promise<Fresh>): Promise<void> {
    try {
      const fresh = await made
      const next = this.#waiting.shift()
      if (next === undefined) this.#ready.push(fresh)
      else next.take(fresh)
    } catch (error) {
      // If nobody waits, the next who does makes another attempt, and is told.
      this.#waiting.shift()?.fail(error)
    }
  }

  async #make(): Promise<Fresh> {
    const { administrator, maker } = this.#place
    const adopted = this.#adopted.shift()
    const name = adopted ?? databaseName(this.#source.name, administrator.facts.place)
    const made = explained(async () => {
      if (adopted === undefined) {
        await administrator.take([name])
        await maker.run(async (client) => await this.#copy(client, name))
        await administrator.label(name, this.#label())
      }
      const client = await connectPatiently(this.#place, name)
      let isOpen = true
      client.once('end', () => {
        isOpen = false
      })
      letProcessEnd(client)
      return { name, client, isOpen: () => isOpen }
    })
    // What there may be of it is nobody's then, and goes with the next sweep.
    made.catch(async () => await administrator.free([name]).catch(() => undefined))
    return await made
  }

  async #copy(client: pg.Client, name: string): Promise<void> {
    const { facts } = this.#place.administrator
    try {
      await copyDatabase(client, name, this.#source.name, facts)
    } catch (error) {
      if (!isState(error, '3D000')) throw error
      await this.#source.provideAgain()
      await copyDatabase(client, name, this.#source.name, facts)
    }
  }

  #label(): Label {
    const { name, project } = this.#source
    return { howdah: 1, kind: 'ready', project, user: thisProcess(), template: name }
  }
}
