import { createHash } from 'node:crypto'
import { TestingError } from '../errors.ts'
import { templateName } from '../server/names.ts'
import type { Workplace } from '../workplace.ts'
import { buildTemplate } from './build-template.ts'
import type { Recipe } from './recipe.ts'
import { WaitForTemplate } from './wait-for-template.ts'

/** How often the use of a template is recorded, in seconds. */
const freshness = 3600

/** For so many ms, a finished template is kept from others by a process that holds its lock. */
const courtesy = 1000

/**
 * Makes sure that a template exists, and that nobody drops it before {@link Administrator.unshare}. Gives the recipe with the
 * name under which it is there.
 *
 * The first process makes it, and the others wait. If the first fails, the others reject with the same error, without trying it
 * themselves. If the first stands still, because it was suspended, the next one makes another template beside it.
 */
export async function provideTemplate(
  place: Workplace,
  recipe: Recipe,
  root: string | undefined,
): Promise<Recipe> {
  const { administrator, notice } = place
  const { name } = recipe
  const waiting = new WaitForTemplate(place, recipe)
  let known = administrator.atFirst.find((one) => one.name === name)
  for (;;) {
    const found = known ?? (await administrator.find(name))
    known = undefined
    if (found?.isFinished === true) {
      const shared = await administrator.tryShare(name)
      if (shared !== null) {
        const label = shared.find((one) => one.name === name)?.label
        if (label?.kind === 'template') {
          if ((label.at ?? 0) < administrator.now() - freshness)
            await administrator.label(name, label)
          return recipe
        }
        await administrator.unshare(name)
      } else if (waiting.lasts > courtesy) {
        // Its holder has made it, or drops it, and then it is made again.
        return recipe
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
    } else {
      const other = { ...recipe, name: otherName(place, name) }
      if ((await administrator.find(other.name))?.isFinished === true)
        return await provideTemplate(place, other, root)
      if (await waiting.isInVain()) {
        notice(
          `${await waiting.holders()} has stood still while it makes the template of ${recipe.project}; another one is made`,
        )
        return await provideTemplate(place, other, root)
      }
    }
    await waiting.pause()
  }
}

/** The name of the template that is made if the maker of this one stands still. */
function otherName({ administrator }: Workplace, name: string): string {
  const hash = createHash('sha256').update(`instead of ${name}`).digest('hex')
  return templateName(hash, administrator.facts.place)
}

async function makeFrom(place: Workplace, recipe: Recipe, root: string | undefined): Promise<void> {
  const { administrator } = place
  if (recipe.from === null) return await buildTemplate(place, recipe, root)
  const from = await provideTemplate(place, recipe.from, root)
  try {
    await buildTemplate(place, { ...recipe, from }, root)
  } finally {
    await administrator.unshare(from.name)
  }
}
