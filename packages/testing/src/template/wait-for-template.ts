import { setTimeout as sleep } from 'node:timers/promises'
import { TestingError } from '../errors.ts'
import type { Label } from '../server/label.ts'
import type { Workplace } from '../workplace.ts'
import type { Recipe } from './recipe.ts'

/** How often a waiting process reports what it waits for, in ms. */
const firstWord = 1000

/** How often a waiting process looks for signs of life of the maker, in ms. */
const interval = 250

/** The maker is passed over if it stands still for this share of the timeout. */
const share = 1 / 4

/** A wait for another process that makes a template. */
export class WaitForTemplate {
  readonly #place: Workplace
  readonly #recipe: Recipe
  readonly #started = performance.now()
  #nextWord = firstWord
  #pauses = 0
  /** A transaction id of the server from before the wait. Ids only grow, while the server's clock may jump. */
  #since: bigint | null = null
  #looked = -Infinity
  /** What the connections of the maker have done so far, and since when they have done no more. */
  #trace: string | null = null
  #still = 0

  constructor(place: Workplace, recipe: Recipe) {
    this.#place = place
    this.#recipe = recipe
  }

  /** In ms. */
  get lasts(): number {
    return performance.now() - this.#started
  }

  async pause(): Promise<void> {
    const { administrator, notice, timeout } = this.#place
    const { name, project } = this.#recipe
    if (this.#since === null) {
      const [row] = await administrator.query<{ now: string }>('SELECT txid_current()::text AS now')
      this.#since = BigInt(row?.now ?? 0)
    }
    if (this.lasts > this.#nextWord) {
      this.#nextWord *= 2
      notice(
        `waiting for the template of ${project}, which ${await this.holders()} makes, since ${Math.round(this.lasts / 1000)} s`,
      )
    }
    if (this.lasts > timeout) {
      throw new TestingError(
        'ERR_TESTING_TIMEOUT',
        `the template of ${project} (${name}) is not there after ${timeout} ms: ${await this.holders()} makes it; end that process, or give it more time by "timeout"`,
      )
    }
    await sleep(Math.min(5 * 2 ** this.#pauses++, 100))
  }

  /** The message of a failure that happened while we waited; `null` if there was none. */
  failureIn(label: Pick<Label, 'failure' | 'transaction'> | null): string | null {
    if (this.#since === null || label?.failure === undefined) return null
    return BigInt(label.transaction ?? 0) > this.#since ? label.failure : null
  }

  /** Whether the maker stands still: none of its connections has worked or has been told anything for a quarter of the timeout. */
  async isInVain(): Promise<boolean> {
    const now = performance.now()
    if (now - this.#looked < interval) return false
    this.#looked = now
    const trace = await this.#traceOfMaker()
    if (trace === null || trace !== this.#trace) this.#still = now
    this.#trace = trace
    return now - this.#still > this.#place.timeout * share
  }

  /** The processes that have the template's lock. */
  async holders(): Promise<string> {
    const holders = await this.#place.administrator.holdersOf(this.#recipe.name)
    return holders.join(' and ') || 'another process'
  }

  /** What the maker's connections have done so far; `null` while one of them works, or if there are none. */
  async #traceOfMaker(): Promise<string | null> {
    const { administrator } = this.#place
    const { name } = this.#recipe
    const rows = await administrator.query<{ pid: number; isIdle: boolean; since: string }>(
      `SELECT pid, coalesce(state LIKE 'idle%', false) AS "isIdle", state_change::text AS since
         FROM pg_catalog.pg_stat_activity
        WHERE pid <> pg_catalog.pg_backend_pid() AND (datname = $1 OR application_name = ANY ($2)) ORDER BY pid`,
      [name, await administrator.holdersOf(name)],
    )
    if (rows.length === 0 || rows.some(({ isIdle }) => !isIdle)) return null
    return rows.map(({ pid, since }) => `${pid} ${since}`).join('\n')
  }
}
