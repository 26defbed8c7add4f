import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The data directory at or above `path`; `null` if there is none. It is recognized by its `PG_VERSION`, whether its server
 * runs or not. A file that this user may not look at counts as missing. `path` need not exist, and must have no symbolic
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
