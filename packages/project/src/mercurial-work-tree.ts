import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readPathFile } from './read-small-file.ts'
import { isTrusted } from './trust.ts'
import type { WorkTree } from './work-tree.ts'

/**
 * A checkout of Mercurial (`.hg`) or Sapling (`.sl`). One that `hg share` has made has the path of the repository that it
 * shares in `sharedpath`. Source: `hg help share`, and `localrepo.py` of Mercurial's sources.
 */
export function mercurialWorkTree(top: string, uid: number): WorkTree | null {
  for (const name of ['.sl', '.hg']) {
    const entry = join(top, name)
    if (!isTrusted(entry, uid) || !existsSync(join(entry, 'requires'))) continue
    const head = join(entry, 'branch')
    const shared = readPathFile(join(entry, 'sharedpath'))
    if (shared === null) return { top, kind: 'work-tree', main: null, head }
    const original = resolve(entry, shared)
    const main = isTrusted(original, uid) ? dirname(original) : null
    return { top, kind: 'linked-worktree', main, head }
  }
  return null
}
