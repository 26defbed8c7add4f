import { type ConstraintLike, constraintOf } from '../version/constraint-like.ts'
import type { Runtime } from '../runtime.ts'
import type { Strategy } from './strategy.ts'

/**
 * One strategy after the other: the first that has an answer gives it, and the later ones are then not asked.
 *
 * So `select` gives the highest match of the first strategy that has one. Of several runtimes of the same version, only
 * the first is listed.
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
