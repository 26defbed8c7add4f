import { statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { namesIn } from '@howdah/durable'
import { problemOf } from '../howdah-directory.ts'
import { readPathFile, readSmallFile } from '../read-small-file.ts'
import { isTrusted } from '../trust.ts'
import { coreOf } from './core-of.ts'

/** The largest number of work trees of a bare repository to examine. */
const most = 1000

/**
 * The top of the main checkout of a repository; `null` if there is none, if git does not know it (a repository that was
 * made with `--separate-git-dir`), or if the repository is another user's.
 *
 * A bare repository has no main checkout. The directory around it stands for one if it has a `.howdah`; otherwise the
 * work tree of the branch that the repository's HEAD names.
 */
export function mainCheckout(common: string, uid: number): string | null {
  if (!isTrusted(common, uid)) return null
  const { bare, worktree } = coreOf(common)
  if (worktree !== null) return directoryAt(resolve(common, worktree))
  if (!bare) return basename(common) === '.git' ? directoryAt(dirname(common)) : null
  if (problemOf(join(dirname(common), '.howdah'), uid) === null) return dirname(common)
  return workTreeOfHead(common)
}

function workTreeOfHead(common: string): string | null {
  const head = readPathFile(join(common, 'HEAD'), 'ref: ')
  if (head === null) return null
  for (const name of namesIn(join(common, 'worktrees')).slice(0, most)) {
    const administration = join(common, 'worktrees', name)
    if (readSmallFile(join(administration, 'HEAD'))?.trimEnd() !== `ref: ${head}`) continue
    const entry = readPathFile(join(administration, 'gitdir'))
    const top = entry === null ? null : directoryAt(dirname(resolve(administration, entry)))
    if (top !== null) return top
  }
  return null
}

function directoryAt(path: string): string | null {
  try {
    return statSync(path).isDirectory() ? path : null
  } catch {
    return null
  }
}
