import { realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'

/** The user who will run the programs. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** A user who owns nothing and is in no group. */
const nobodyInParticular: ServerUser = { uid: -1, gid: -1 }

/**
 * The first of some paths, or of the directories above them, that the server's user may not enter and read; `null` if the
 * user may enter and read all of them.
 *
 * It checks only if we are root: otherwise we are the server's user. If root does not name the user, the answer is for a user
 * who owns nothing. Supplementary groups and access control lists are not considered. A missing path does not count.
 */
export function blockedFor(user: ServerUser | undefined, paths: readonly string[]): string | null {
  if (process.geteuid?.() !== 0) return null
  const { uid, gid } = user ?? nobodyInParticular
  if (uid === 0) return null
  const seen = new Set<string>()
  for (const path of paths) {
    try {
      const real = realpathSync.native(path)
      const stats = statSync(real)
      if (!allows(stats, uid, gid, stats.isDirectory() ? 5 : 4)) return real
      for (let above = dirname(real); !seen.has(above); above = dirname(above)) {
        seen.add(above)
        if (!allows(statSync(above), uid, gid, 1)) return above
      }
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error
    }
  }
  return null
}

function allows(stats: Stats, uid: number, gid: number, bits: number): boolean {
  const shift = stats.uid === uid ? 6 : stats.gid === gid ? 3 : 0
  return ((stats.mode >> shift) & bits) === bits
}
