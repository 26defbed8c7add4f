import { lstatSync, mkdirSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The result of {@link problemOf} for a missing `.howdah`. */
export const missing = 'is missing'

/**
 * Why a `.howdah` must not be used; `null` if it may be used. For a link, both its owner and its target's owner count.
 *
 * It must belong to us or root, must not be writable by everybody, and must not hold another user's data directory, which
 * would lead to that user's server.
 */
export function problemOf(path: string, uid: number): string | null {
  const ours = (stats: Stats) => stats.uid === uid || stats.uid === 0
  try {
    const link = lstatSync(path)
    const target = statSync(path)
    if (!target.isDirectory()) return 'is not a directory'
    if (!ours(link) || !ours(target)) {
      return `belongs to another user (uid ${ours(link) ? target.uid : link.uid})`
    }
    if ((target.mode & 0o002) !== 0) return 'can be written by everybody (mend it with: chmod o-w)'
    // As root, we run the clusters of other users.
    const data = uid === 0 ? undefined : statSync(join(path, 'data'), { throwIfNoEntry: false })
    if (data === undefined || ours(data)) return null
    return `has the data directory of another user (uid ${data.uid})`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? missing : `cannot be looked at (${code})`
  }
}

/**
 * Makes a `.howdah` if there is none, with a file that keeps it out of git. Throws errors of the system, such as `ENOENT` if the
 * directory above is missing.
 */
export function makeHowdahDirectory(path: string): void {
  // Nobody else may put a data directory here, whatever the umask is.
  unlessThere(() => mkdirSync(path, 0o755))
  unlessThere(() => writeFileSync(join(path, '.gitignore'), '*\n', { flag: 'wx' }))
}

function unlessThere(make: () => void): void {
  try {
    make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
