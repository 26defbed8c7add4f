import { readSmallFile } from './read-small-file.ts'
import type { WorkTree } from './work-tree.ts'

/**
 * The branch that is checked out in a work tree, or the first 7 digits of the commit if there is none; `null` if that is
 * not known, as in a workspace of jj and in a repository of git whose references are a table (`reftable`).
 */
export function branchOf({ head }: WorkTree): string | null {
  const text = head === null ? '' : (readSmallFile(head) ?? '').trim()
  const branch = /^ref: refs\/heads\/(.+)$/s.exec(text)?.[1] ?? text
  if (branch === '' || branch === '.invalid' || /[\0\r\n]/.test(branch)) return null
  return /^[\da-f]{40,64}$/.test(branch) ? branch.slice(0, 7) : branch
}
