import { setTimeout as sleep } from 'node:timers/promises'
import { TestingError } from '../errors.ts'
import type { Workplace } from '../workplace.ts'
import { buildTemplate } from './build-template.ts'
import type { Recipe } from './recipe.ts'

/** In ms: how often a process that waits is told which process it waits for. */
const firstWord = 1000

/** In seconds: how often it is written down that a template is used. */
const freshness = 3600

/**
 * Makes sure that a template is there, and that nobody drops it before {@link Administrator.unshare}. The first process that
 * comes makes it, and the others wait; if it fails they throw the same, without trying it themselves.
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

/** Waiting for another process that makes the template. */
class Waiting {
  readonly #place: Workplace
  readonly #recipe: Recipe
  readonly #started = performance.now()
  #nextWord = firstWord
  #pauses = 0
  /** A transaction of the server's from before we waited: it counts up, and its clock may jump. */
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

  /** The words of a failure that came while we waited. */
  failureIn(label: { failure?: string; transaction?: string } | null): string | null {
    if (this.#since === null || label?.failure === undefined) return null
    return BigInt(label.transaction ?? 0) > this.#since ? label.failure : null
  }

  async #holders(): Promise<string> {
    const holders = await this.#place.administrator.holdersOf(this.#recipe.name)
    return holders.join(' and ') || 'another process'
  }
}
