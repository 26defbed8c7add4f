import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readPathFile } from './read-small-file.ts'
import { isTrusted } from './trust.ts'
import type { WorkTree } from './work-tree.ts'

/**
 * A workspace of jj: `.jj/repo` is the repository, or a file with the path of the one in the workspace that this was added
 * to. Source: "Working copy" in jj's documentation, and `workspace.rs` of its sources.
 */
export function jjWorkTree(top: string, uid: number): WorkTree | null {
  const entry = join(top, '.jj')
  if (!isTrusted(entry, uid)) return null
  const repository = join(entry, 'repo')
  const stats = statSync(repository, { throwIfNoEntry: false })
  if (stats === undefined) return null
  if (stats.isDirectory()) return { top, kind: 'work-tree', main: null, head: null }
  const named = readPathFile(repository)
  if (named === null) return null
  const original = resolve(entry, named)
  // `<top>/.jj/repo` of the original.
  const main = isTrusted(original, uid) ? dirname(dirname(original)) : null
  return { top, kind: 'linked-worktree', main, head: null }
}
