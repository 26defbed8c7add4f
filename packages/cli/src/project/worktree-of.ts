import { basename, dirname } from 'node:path'
import { branchOf, findProject } from '@howdah/project'

/** The linked worktree of a cluster. */
export interface Worktree {
  /** The branch that is checked out in it. */
  readonly branch: string | null
  /** The main checkout. */
  readonly main: string | null
}

/** The linked worktree of a cluster, by its data directory; `null` if the cluster is not in a linked worktree. */
export function worktreeOf(dataDir: string): Worktree | null {
  const howdahDirectory = dirname(dataDir)
  if (basename(howdahDirectory) !== '.howdah') return null
  try {
    const found = findProject(dirname(howdahDirectory))
    if (found.kind !== 'linked-worktree' || found.workTree === null) return null
    return { branch: branchOf(found.workTree), main: found.main }
  } catch {
    // Its howdah.json cannot be read. Commands that use that file report it.
    return null
  }
}
