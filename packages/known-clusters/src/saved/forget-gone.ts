import { hasLeftovers, savedPlaceOf } from './saved-place.ts'
import { Uses } from '../uses.ts'
import { isGone } from '../write-scope.ts'

/** The result of {@link forgetGone}. */
interface Forgotten {
  /** How many clusters were forgotten. */
  readonly count: number
  /** The data directories that have a saved cluster beside them which is unfinished or too old. */
  readonly withLeftovers: readonly string[]
}

/**
 * Forgets the clusters of this user whose data directories were removed by others, such as `git worktree remove`. Rejects if
 * the state cannot be read.
 */
export async function forgetGone(): Promise<Forgotten> {
  const { stateDirectory } = await import('@howdah/store')
  const uses = await Uses.in(stateDirectory())
  let count = 0
  const withLeftovers: string[] = []
  for (const { dataDir, identity } of uses.known.list()) {
    if (hasLeftovers(savedPlaceOf(dataDir))) withLeftovers.push(dataDir)
    if (!(await isGone(dataDir))) continue
    await uses.forget(identity)
    count += 1
  }
  return { count, withLeftovers }
}
