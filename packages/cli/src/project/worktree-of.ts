import { basename, dirname } from 'node:path'
import { branchOf, findProject } from '@howdah/project'

/** The linked worktree that a cluster is of. */
export interface Worktree {
  /** What is checked out in it. */
  readonly branch: string | null
  /** The main checkout. */
  readonly main: string | null
}

/** The worktree whose cluster it is, by its data directory; `null` if it is none of a linked worktree. */
export function worktreeOf(dataDir: string): Worktree | null {
  const howdahDirectory = dirname(dataDir)
  if (basename(howdahDirectory) !== '.howdah') return null
  try {
    const found = findProject(dirname(howdahDirectory))
    if (found.kind !== 'linked-worktree' || found.workTree === null) return null
    return { branch: branchOf(found.workTree), main: found.main }
  } catch {
    // Its howdah.json cannot be read, which matters to commands that use it.
    return null
  }
}
