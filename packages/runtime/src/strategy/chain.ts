import { type ConstraintLike, constraintOf } from '../version/constraint-like.ts'
import type { Runtime } from '../runtime.ts'
import type { Strategy } from './strategy.ts'

/**
 * Asks one strategy after the other, until one has an answer.
 *
 * `select` therefore returns the highest match of the first strategy that has a match. If several runtimes have the same
 * version, only the first is listed.
 */
export function chain(...strategies: readonly Strategy[]): Strategy {
  const first = async (
    ask: (strategy: Strategy) => Promise<Runtime | null>,
  ): Promise<Runtime | null> => {
    for (const strategy of strategies) {
      const answer = await ask(strategy)
      if (answer !== null) return answer
    }
    return null
  }
  return {
    name: strategies.map(({ name }) => name).join(', '),
    async runtimes() {
      const all = await Promise.all(strategies.map((strategy) => strategy.runtimes()))
      const seen = new Set<string>()
      return all.flat().filter(({ version }) => {
        const isNew = !seen.has(version.toString())
        seen.add(version.toString())
        return isNew
      })
    },
    select: (like: ConstraintLike) => {
      const constraint = constraintOf(like)
      return first((strategy) => strategy.select(constraint))
    },
    fallback: () => first((strategy) => strategy.fallback()),
    async diagnose() {
      return (await Promise.all(strategies.map((strategy) => strategy.diagnose()))).flat()
    },
  }
}
