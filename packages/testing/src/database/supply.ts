import type pg from 'pg'
import { isState, thisProcess } from '../server/connect.ts'
import type { Properties } from '../server/copy-properties.ts'
import { copyDatabase } from '../server/database-statements.ts'
import type { Label } from '../server/label.ts'
import { databaseName } from '../server/names.ts'
import { explained } from '../server/explained.ts'
import { warmUp } from '../server/warm-up.ts'
import type { Workplace } from '../workplace.ts'
import { type Fresh, openFresh } from './fresh.ts'

/** A caller that waits for a database. */
interface Waiting {
  take(fresh: Fresh): void
  fail(error: unknown): void
}

/** The template of the databases. */
interface Source {
  readonly name: string
  readonly project: string
  /** Makes the template again, if somebody has dropped it, and gives its name. */
  provideAgain(): Promise<string>
}

/** Connections are opened ahead only while less than this share of the server's connections is in use. */
const fullness = 0.7
/** For how long that share is taken to be the same, in ms. */
const knownFor = 500
/**
 * How long the next database waits to be made after one was taken, in ms, so that making it does not delay the test's first
 * queries. It does not wait longer than the test lasts.
 */
const courtesy = 20
/** After so many ms without a database in use, the connections that were opened ahead are ended, because others may need them. */
const rest = 2000

/**
 * Makes and connects databases ahead: as many as were in use at once. When a process ends, the next process takes over its
 * unused databases.
 */
export class Supply {
  readonly #place: Workplace
  readonly #source: Source
  readonly #most: number
  readonly #ready: Fresh[] = []
  readonly #waiting: Waiting[] = []
  /** Unused databases without a connection: those of another process that we have taken over, and our own after a rest. */
  readonly #adopted: string[]
  #making = 0
  readonly #pending = new Set<Promise<unknown>>()
  #used = 0
  #ended = false
  /** The properties of the template, read while the first copy is made. */
  #properties: Promise<Properties> | undefined
  #later: NodeJS.Timeout | undefined
  #rest: NodeJS.Timeout | undefined
  /** Whether the server had plenty of connections, and when we asked. */
  #room = { isPlenty: true, at: -Infinity }

  /** `adopted` are unused databases of other processes, and `first` is one of which the connection is being opened. */
  constructor(
    place: Workplace,
    source: Source,
    most: number,
    adopted: readonly string[],
    first: Promise<Fresh> | null,
  ) {
    this.#place = place
    this.#source = source
    this.#most = most
    this.#adopted = [...adopted]
    if (first !== null) this.#expect(first)
  }

  /** Gives a database. It counts as used until {@link gaveBack}. */
  async take(): Promise<Fresh> {
    clearTimeout(this.#rest)
    this.#used += 1
    try {
      for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
        if (!next.isOpen()) continue
        this.#refillLater()
        return next
      }
      const made = new Promise<Fresh>((take, fail) => this.#waiting.push({ take, fail }))
      // A test waits. The others are made when it has had its first answers.
      this.#refill(0)
      this.#refillLater()
      return await made
    } catch (error) {
      this.#used -= 1
      throw error
    }
  }

  gaveBack(): void {
    this.#refill()
    this.#used -= 1
    if (this.#used === 0) this.#restLater()
  }

  /** Reads from a fresh copy of the template, which must not be changed. */
  async peek<T>(read: (client: pg.Client) => Promise<T>): Promise<T> {
    const fresh = await this.take()
    this.gaveBack()
    const found = await read(fresh.client)
    this.#offer(Promise.resolve(fresh))
    return found
  }

  /** Ends the connections, and gives the names of the remaining databases. */
  async end(): Promise<string[]> {
    this.#ended = true
    clearTimeout(this.#later)
    clearTimeout(this.#rest)
    await Promise.all(this.#pending)
    const left = this.#ready.splice(0)
    await Promise.all(left.map(async ({ client }) => await client.end().catch(() => undefined)))
    return [...left.map(({ name }) => name), ...this.#adopted.splice(0)]
  }

  #restLater(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => {
      for (const { name, client } of this.#ready.splice(0)) {
        this.#adopted.push(name)
        void client.end().catch(() => undefined)
      }
    }, rest).unref()
  }

  #refillLater(): void {
    clearTimeout(this.#later)
    this.#later = setTimeout(() => this.#refill(), courtesy).unref()
  }

  /** Makes as many databases as callers wait for, and as many more as are in use. */
  #refill(ahead = Math.min(this.#most, this.#used)): void {
    clearTimeout(this.#later)
    const wanted = this.#waiting.length + Math.max(ahead - this.#ready.length, 0)
    while (!this.#ended && this.#making < wanted) {
      const isUrgent = this.#making < this.#waiting.length
      this.#expect(isUrgent ? this.#make() : this.#makeAhead())
    }
  }

  #expect(made: Promise<Fresh>): void {
    this.#making += 1
    this.#offer(
      made.finally(() => {
        this.#making -= 1
      }),
    )
  }

  /** Makes a database ahead, but only while the server has plenty of connections, because others need them, too. */
  async #makeAhead(): Promise<Fresh> {
    const isUrgent = () => this.#waiting.length > 0
    if (!(await this.#hasRoom()) && !isUrgent()) throw new Error('there are few connections left')
    const fresh = await this.#make()
    if (!isUrgent()) await warmUp(fresh.client)
    return fresh
  }

  async #hasRoom(): Promise<boolean> {
    if (performance.now() - this.#room.at < knownFor) return this.#room.isPlenty
    const { administrator } = this.#place
    const [row] = await administrator.query<{ taken: number }>(
      'SELECT count(*)::int AS taken FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL',
    )
    const isPlenty = (row?.taken ?? 0) <= fullness * administrator.facts.maxConnections
    this.#room = { isPlenty, at: performance.now() }
    return isPlenty
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
      if (next !== undefined) return next.take(fresh)
      this.#ready.push(fresh)
      if (this.#used === 0) this.#restLater()
    } catch (error) {
      // If nobody waits, the next caller makes another attempt, and gets its error.
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
      return await openFresh(this.#place, name)
    })
    // A half-made database then has no owner, and the next sweep drops it.
    made.catch(async () => await administrator.free([name]).catch(() => undefined))
    return await made
  }

  async #copy(client: pg.Client, name: string): Promise<void> {
    const { administrator } = this.#place
    const { facts } = administrator
    const from = this.#source.name
    try {
      this.#properties ??= administrator.propertiesOf(from)
      await copyDatabase(client, name, from, facts, this.#properties)
    } catch (error) {
      this.#properties = undefined
      if (!isState(error, '3D000')) throw error
      const again = await this.#source.provideAgain()
      this.#properties = administrator.propertiesOf(again)
      await copyDatabase(client, name, again, facts, this.#properties)
    }
  }

  #label(): Label {
    const { name, project } = this.#source
    return { howdah: 1, kind: 'ready', project, user: thisProcess(), template: name }
  }
}
