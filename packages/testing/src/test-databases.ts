import { LostConnections, requireOutlived } from './database/lost-connections.ts'
import { TestingError } from './errors.ts'
import { keepAlive } from './keep-alive.ts'
import type { TestDatabasesOptions } from './options.ts'
import { resetDatabase } from './reset/reset-database.ts'
import { readBaseline, type Baseline } from './reset/baseline.ts'
import { clientOptionsOf, isLost, isState, thisProcess } from './server/connect.ts'
import { connectPatiently } from './server/connect-patiently.ts'
import { begin, type Stay } from './stay.ts'
import { TestDatabase } from './test-database.ts'

/** The purpose of a database. */
export interface CreateOptions {
  /** The purpose of the database, such as the test's name. `howdah testdb ls` shows it. */
  readonly test?: string | undefined
}

/**
 * Databases for tests. Nothing happens before the first {@link TestDatabases.create}, so no server runs if no test needs one.
 *
 * @example
 * const databases = testDatabases({ migrate: 'migrations/*.sql' })
 * await using db = await databases.create()
 * await db.query('SELECT 1')
 */
export function testDatabases(options: TestDatabasesOptions = {}): TestDatabases {
  return new TestDatabases(options)
}

/** Makes databases of one template; see {@link testDatabases}. */
export class TestDatabases implements AsyncDisposable {
  readonly #options: TestDatabasesOptions
  readonly #live = new Set<TestDatabase>()
  #stay: Promise<Stay> | null = null
  #failure: TestingError | null = null
  #baseline: Promise<Baseline> | null = null
  readonly #lost = new LostConnections()

  /** @internal Made by {@link testDatabases}. */
  constructor(options: TestDatabasesOptions) {
    this.#options = options
  }

  /**
   * Creates a database as a copy of the template. The first call of a process joins the server; the first call of all
   * processes starts it, and makes the template.
   *
   * Rejects with `ERR_TESTING_MIGRATE` if the template cannot be made, in every waiting process and in later calls, without
   * another attempt; `ERR_TESTING_CONNECTIONS` and `ERR_TESTING_NO_SPACE` if the server has no more; `ERR_TESTING_SERVER` if
   * it does not let us; `ERR_TESTING_KEY` for a pattern of files that finds none.
   */
  async create(options: CreateOptions = {}): Promise<TestDatabase> {
    return await keepAlive(async () => {
      for (let attempt = 1; ; attempt += 1) {
        const stay = await this.#join()
        try {
          return await this.#createOn(stay, options)
        } catch (error) {
          // The server may have crashed, and another attempt starts it.
          if (attempt === 3 || !(stay.isLost() || isLost(error))) throw error
          await this.#forget(stay)
        }
      }
    })
  }

  /**
   * Gives back the databases of this process, drops unused ones except templates, and leaves the server. If that is our own and
   * lingers, two unused ones stay for the next run. You need not call it, because a process may simply end. On a shared server
   * it leaves fewer databases for the next run to drop.
   */
  async end(): Promise<void> {
    await keepAlive(async () => {
      await Promise.all([...this.#live].map(async (db) => await db.release()))
      const stay = await this.#stay?.catch(() => null)
      this.#stay = null
      this.#baseline = null
      await stay?.end(true)
    })
  }

  /** Ends, as {@link end} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  async #join(): Promise<Stay> {
    if (this.#failure !== null) throw this.#failure
    const stay = await this.#stay
    if (stay?.isLost() === true) await this.#forget(stay)
    this.#stay ??= begin(this.#options)
    try {
      return await this.#stay
    } catch (error) {
      this.#stay = null
      if (error instanceof TestingError && error.code === 'ERR_TESTING_MIGRATE')
        this.#failure = error
      throw error
    }
  }

  /** Forgets a lost stay. After a crash of the server, our databases have no owner and will be dropped. */
  async #forget(stay: Stay): Promise<void> {
    const isCurrent = (await this.#stay?.catch(() => null)) === stay
    if (!isCurrent) return
    this.#stay = null
    this.#baseline = null
    this.#lost.forget()
    await stay.end(false).catch(() => undefined)
  }

  async #createOn(stay: Stay, { test }: CreateOptions): Promise<TestDatabase> {
    const { place, recipe, supply, disposal } = stay
    const { administrator, server } = place
    const label = {
      howdah: 1,
      project: recipe.project,
      user: thisProcess(),
      template: recipe.name,
      ...(test !== undefined && { test }),
    } as const
    for (;;) {
      const lost = this.#lost.pids
      const isInDoubt = lost.length > 0
      if (isInDoubt) await requireOutlived(place, lost)
      const fresh = await supply.take()
      const { name, client } = fresh
      try {
        // From here on it does not count as unused. Messages to our own server cannot be lost, unless it crashes.
        const isSure = server.isOwn && !isInDoubt
        if (isSure) await administrator.labelSoon(name, { ...label, kind: 'used' })
        else await administrator.label(name, { ...label, kind: 'used' })
        if (isInDoubt) await client.query('SELECT 1')
        this.#lost.forget(lost)
      } catch (error) {
        supply.gaveBack()
        await client.end().catch(() => undefined)
        // It was dropped meanwhile.
        if (isState(error, '3D000')) continue
        throw error
      }
      const db: TestDatabase = new TestDatabase(name, {
        url: server.url(name),
        env: server.env(name),
        first: client,
        clientOptions: clientOptionsOf(server, name),
        connect: async () => await connectPatiently(place, name),
        reset: async () => await this.#reset(stay, name),
        keep: async () => {
          await administrator.label(name, { ...label, kind: 'kept' })
          await server.stay()
          place.notice(
            `kept a database${test === undefined ? '' : ` of ${test}`}: ${server.shell(name)}`,
          )
        },
        giveBack: async (isKept) => {
          this.#live.delete(db)
          supply.gaveBack()
          if (isKept) await administrator.free([name]).catch(() => undefined)
          else disposal.add(name)
        },
      })
      this.#live.add(db)
      this.#lost.watch(client, () => this.#live.has(db))
      return db
    }
  }

  async #reset(stay: Stay, name: string): Promise<void> {
    await keepAlive(async () => {
      this.#baseline ??= stay.supply.peek(readBaseline)
      const baseline = await this.#baseline
      const client = await connectPatiently(stay.place, name)
      try {
        await resetDatabase(client, name, baseline)
      } finally {
        await client.end().catch(() => undefined)
      }
    })
  }
}
