import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Resolves a path that may not exist yet: gives the real path of the nearest existing directory (or file) at or above it, and
 * the missing names below. A name that cannot be looked at counts as missing.
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

/** Resolves the symbolic links in the part of a path that exists; see {@link nearestReal}. */
export function realAsFarAsThere(path: string): string {
  const { real, missing } = nearestReal(path)
  return join(real, ...missing)
}
