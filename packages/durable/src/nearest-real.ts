import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Where a path leads that may not exist yet: the real path of the nearest directory (or file) at or above it, and the names
 * below that are missing. What cannot be looked at counts as missing.
 */
export function nearestReal(path: string): { real: string; missing: readonly string[] } {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    try {
      return { real: realpathSync.native(at), missing }
    } catch {
      if (dirname(at) === at) return { real: at, missing }
      missing.unshift(basename(at))
    }
  }
}

/** A path without symbolic links as far as it exists; see {@link nearestReal}. */
export function realAsFarAsThere(path: string): string {
  const { real, missing } = nearestReal(path)
  return join(real, ...missing)
}
