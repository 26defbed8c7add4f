import { lstatSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Whether the file at a path may decide where our cluster is: the file, and the target if it is a link, must be ours or root's.
 * So a `.git` that somebody puts into `/tmp` decides nothing for others.
 *
 * Root also trusts a file of the owner of its directory, as on a volume that is mounted into a container. A missing file,
 * and one that cannot be looked at, is not trusted.
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
