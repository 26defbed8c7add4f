import { realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The data directory that `path` is, or lies in; `null` where there is none. By plain facts: a `PG_VERSION` in it, whether
 * its server runs or not. `path` need not exist. Give it as {@link nearestReal} does.
 */
export async function clusterAround(path: string): Promise<string | null> {
  let found: string | null = null
  for (let above = path; ; above = dirname(above)) {
    if (await isThere(above, 'PG_VERSION')) {
      found ??= above
      // Each database has a directory with a PG_VERSION of its own; only the data directory itself has a `global`.
      if (await isThere(above, 'global')) return above
    }
    if (dirname(above) === above) return found
  }
}

/** `path` without symbolic links as far as it exists. */
export async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await nearestReal(parent), path.slice(parent.length))
  }
}

/** Whether there is something of that name. What may not be looked at counts as not there. */
async function isThere(directory: string, name: string): Promise<boolean> {
  return await stat(join(directory, name)).then(
    () => true,
    () => false,
  )
}
