import { setTimeout as sleep } from 'node:timers/promises'
import { TestingError } from '../errors.ts'
import type { Workplace } from '../workplace.ts'
import { buildTemplate } from './build-template.ts'
import type { Recipe } from './recipe.ts'

/** How often a waiting process reports what it waits for, in ms. */
const firstWord = 1000

/** How often the use of a template is recorded, in seconds. */
const freshness = 3600

/**
 * Makes sure that a template exists, and that nobody drops it before {@link Administrator.unshare}. The first process makes
 * it, and the others wait. If the first fails, the others reject with the same error, without trying it themselves.
 */
export async function provideTemplate(
  place: Workplace,
  recipe: Recipe,
  root: string | undefined,
): Promise<void> {
  const { administrator } = place
  const { name } = recipe
  const waiting = new Waiting(place, recipe)
  for (;;) {
    const found = await administrator.find(name)
    if (found?.isFinished === true) {
      if (await administrator.tryShare(name)) {
        const { label = null } = (await administrator.find(name)) ?? {}
        if (label?.kind === 'template') {
          if ((label.at ?? 0) < administrator.now() - freshness)
            await administrator.label(name, label)
          return
        }
        await administrator.unshare(name)
      }
    } else if ((await administrator.take([name])).length > 0) {
      try {
        const now = await administrator.find(name)
        if (now?.isFinished === true) continue
        const failure = waiting.failureIn(now?.label ?? null)
        if (failure !== null) throw new TestingError('ERR_TESTING_MIGRATE', failure)
        await makeFrom(place, recipe, root)
        continue
      } finally {
        await administrator.free([name])
      }
    }
    await waiting.pause()
  }
}

async function makeFrom(place: Workplace, recipe: Recipe, root: string | undefined): Promise<void> {
  const { administrator } = place
  if (recipe.from === null) return await buildTemplate(place, recipe, root)
  await provideTemplate(place, recipe.from, root)
  try {
    await buildTemplate(place, recipe, root)
  } finally {
    await administrator.unshare(recipe.from.name)
  }
}

/** A wait for another process that makes the template. */
class Waiting {
  readonly #place: Workplace
  readonly #recipe: Recipe
  readonly #started = performance.now()
  #nextWord = firstWord
  #pauses = 0
  /** A transaction id of the server from before the wait. Ids only grow, while the server's clock may jump. */
  #since: bigint | null = null

  constructor(place: Workplace, recipe: Recipe) {
    this.#place = place
    this.#recipe = recipe
  }

  async pause(): Promise<void> {
    const { administrator, notice, timeout } = this.#place
    const { name, project } = this.#recipe
    if (this.#since === null) {
      const [row] = await administrator.query<{ now: string }>('SELECT txid_current()::text AS now')
      this.#since = BigInt(row?.now ?? 0)
    }
    const waited = performance.now() - this.#started
    if (waited > this.#nextWord) {
      this.#nextWord *= 2
      notice(
        `waiting for the template of ${project}, which ${await this.#holders()} makes, since ${Math.round(waited / 1000)} s`,
      )
    }
    if (waited > timeout) {
      throw new TestingError(
        'ERR_TESTING_TIMEOUT',
        `the template of ${project} (${name}) is not there after ${timeout} ms: ${await this.#holders()} makes it; end that process, or give it more time by "timeout"`,
      )
    }
    await sleep(Math.min(5 * 2 ** this.#pauses++, 100))
  }

  /** The message of a failure that happened while we waited; `null` if there was none. */
  failureIn(label: { failure?: string; transaction?: string } | null): string | null {
    if (this.#since === null || label?.failure === undefined) return null
    return BigInt(label.transaction ?? 0) > this.#since ? label.failure : null
  }

  async #holders(): Promise<string> {
    const holders = await this.#place.administrator.holdersOf(this.#recipe.name)
    return holders.join(' and ') || 'another process'
  }
}
