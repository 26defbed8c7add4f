import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readPathFile } from '../read-small-file.ts'
import { isTrusted } from '../trust.ts'
import type { WorkTree } from '../work-tree.ts'
import { mainCheckout } from './main-checkout.ts'

/**
 * A work tree of git: `.git` is the repository, or a file that names git's directory for this work tree. The
 * environment (`GIT_DIR`, `GIT_WORK_TREE`) does not count: a hook of git finds the project that its user finds.
 *
 * Source: gitrepository-layout(5), git-worktree(1).
 */
export function gitWorkTree(top: string, uid: number): WorkTree | null {
  const entry = join(top, '.git')
  if (!isTrusted(entry, uid)) return null
  if (statSync(entry, { throwIfNoEntry: false })?.isDirectory() === true) {
    const head = join(entry, 'HEAD')
    return existsSync(head) ? { top, kind: 'work-tree', main: null, head } : null
  }
  const named = readPathFile(entry, 'gitdir: ')
  if (named === null) return null
  const gitDirectory = resolve(top, named)
  const head = join(gitDirectory, 'HEAD')
  const common = readPathFile(join(gitDirectory, 'commondir'))
  if (common !== null) {
    const main = mainCheckout(resolve(gitDirectory, common), uid)
    // This worktree itself stands for the main checkout.
    if (main === top) return { top, kind: 'work-tree', main: null, head }
    return { top, kind: 'linked-worktree', main, head }
  }
  // Where git keeps the repositories of submodules, in the repository of the work tree around them.
  const kind = /\/modules\//.test(gitDirectory) ? 'submodule' : 'work-tree'
  return { top, kind, main: null, head }
}
