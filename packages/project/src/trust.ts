import { lstatSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Whether what lies at a path may decide where our cluster is: it, and what it leads to, must be ours or root's.
 *
 * A process of root may also follow what the owner of the directory has put there, as on a volume that is mounted into a
 * container. So nobody gains anything by a `.git` in `/tmp`. What is missing, or cannot be looked at, is not trusted.
 */
export function isTrusted(path: string, uid: number): boolean {
  try {
    const above = statSync(dirname(path)).uid
    const ours = (stats: Stats) =>
      stats.uid === uid || stats.uid === 0 || (uid === 0 && stats.uid === above)
    return ours(lstatSync(path)) && ours(statSync(path))
  } catch {
    return false
  }
}
