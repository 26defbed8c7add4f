import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The data directory that `path` is, or lies in; `null` if there is none. By plain facts: a `PG_VERSION` in it, whether
 * its server runs or not; what may not be looked at counts as not there. `path` need not exist, and has no symbolic
 * links.
 */
export async function clusterAround(path: string): Promise<string | null> {
  let found: string | null = null
  for (let above = path; ; above = dirname(above)) {
    if (existsSync(join(above, 'PG_VERSION'))) {
      found ??= above
      // Each database has a directory with a PG_VERSION of its own; only the data directory itself has a `global`.
      if (existsSync(join(above, 'global'))) return above
    }
    if (dirname(above) === above) return found
  }
}
