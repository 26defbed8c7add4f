import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The data directory that `path` is, or lies in; `null` where there is none. By plain facts: a `PG_VERSION` in it, whether
 * its server runs or not; what may not be looked at counts as not there. `path` need not exist. Give it as
 * {@link nearestReal} does.
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

/** `path` without symbolic links as far as it exists. */
export async function nearestReal(path: string): Promise<string> {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await nearestReal(parent), path.slice(parent.length))
  }
}
