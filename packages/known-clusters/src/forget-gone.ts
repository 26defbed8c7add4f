import { Uses } from './uses.ts'
import { isGone } from './write-scope.ts'

/**
 * Forgets the clusters of this user whose data directories were removed by others, such as `git worktree remove`, and gives
 * their number. Rejects if the state cannot be read.
 */
export async function forgetGone(): Promise<number> {
  const { stateDirectory } = await import('@howdah/store')
  const uses = await Uses.in(stateDirectory())
  let forgotten = 0
  for (const { dataDir, identity } of uses.known.list()) {
    if (!(await isGone(dataDir))) continue
    await uses.forget(identity)
    forgotten += 1
  }
  return forgotten
}
