import { gitWorkTree } from './git/git-work-tree.ts'
import { jjWorkTree } from './jj-work-tree.ts'
import { mercurialWorkTree } from './mercurial-work-tree.ts'
import type { WorkTree } from './work-tree.ts'

/**
 * The work tree whose top a directory is, by plain files alone; `null` if it is not one. Of git, jj, Mercurial and Sapling.
 *
 * What belongs to another user is passed over, as git does (`safe.directory`).
 */
export function workTreeAt(directory: string, uid: number): WorkTree | null {
  return (
    gitWorkTree(directory, uid) ?? jjWorkTree(directory, uid) ?? mercurialWorkTree(directory, uid)
  )
}
