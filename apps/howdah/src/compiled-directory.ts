import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/**
 * The directory for compiled code; `null` if there is none that can be trusted.
 *
 * Node runs what it finds there, so nobody else may be able to put anything into it. It is in the cache of howdah, which has to be
 * there, and is for us alone.
 */
export function compiledDirectory(): string | null {
  try {
    const cache = realpathSync(cacheDirectory())
    if (!isOurs(cache) || !isSafeBelow(dirname(cache))) return null
    const compiled = join(cache, 'compiled')
    mkdirSync(compiled, { recursive: true, mode: 0o700 })
    return isOurs(compiled) ? compiled : null
  } catch {
    // There is no such directory, or it cannot be made.
    return null
  }
}

/** As `cacheDirectory` of `@howdah/runtime` has it, which would have to be loaded. */
function cacheDirectory(): string {
  const { HOWDAH_CACHE_DIR: chosen, XDG_CACHE_HOME: xdg } = process.env
  if (chosen) return chosen
  if (process.geteuid?.() === 0) return '/var/cache/howdah'
  return xdg && isAbsolute(xdg) ? join(xdg, 'howdah') : join(homedir(), '.cache/howdah')
}

/** Whether a directory belongs to us and no other user can write it. Throws if it is missing. */
function isOurs(directory: string): boolean {
  const stats = lstatSync(directory)
  return stats.isDirectory() && stats.uid === process.geteuid?.() && !isWritableByOthers(stats)
}

/** Whether no other user can replace what lies in a directory. `directory` is a real path. */
function isSafeBelow(directory: string): boolean {
  const stats = lstatSync(directory)
  const isSticky = (stats.mode & 0o1000) !== 0
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) return false
  if (isWritableByOthers(stats) && !isSticky) return false
  return dirname(directory) === directory || isSafeBelow(dirname(directory))
}

function isWritableByOthers({ mode }: Stats): boolean {
  return (mode & 0o022) !== 0
}
