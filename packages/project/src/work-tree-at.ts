import { gitWorkTree } from './git/git-work-tree.ts'
import { jjWorkTree } from './jj-work-tree.ts'
import { mercurialWorkTree } from './mercurial-work-tree.ts'
import type { WorkTree } from './work-tree.ts'

/**
 * The work tree of git, jj, Mercurial or Sapling that has its top in a directory; `null` if there is none. Reads only plain
 * files.
 *
 * Files of other users are skipped, as in git (`safe.directory`).
 */
export function workTreeAt(directory: string, uid: number): WorkTree | null {
  return (
    gitWorkTree(directory, uid) ?? jjWorkTree(directory, uid) ?? mercurialWorkTree(directory, uid)
  )
}
