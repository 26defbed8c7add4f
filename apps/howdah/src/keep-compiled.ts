import { lstatSync, mkdirSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Has Node keep what it compiles from here on, and take it from there the next time, which it can since 22.8.
 *
 * It believes what it finds, so that nobody else may be able to put anything there: it is kept where howdah keeps its
 * PostgreSQLs, in a directory for us alone, once that is there and ours. If it cannot be kept, nothing is lost.
 */
export function keepCompiled(): void {
  const enable: ((directory: string) => unknown) | undefined = Reflect.get(
    nodeModule,
    'enableCompileCache',
  )
  if (enable === undefined || process.env['HOWDAH_CACHE_DIR'] !== undefined) return
  const isRoot = process.geteuid?.() === 0
  try {
    const cache = isRoot ? '/var/cache/howdah' : join(homedir(), '.cache/howdah')
    if (!isOurs(cache)) return
    const compiled = join(cache, 'compiled')
    mkdirSync(compiled, { recursive: true, mode: 0o700 })
    if (isOurs(compiled)) enable(compiled)
  } catch {
    // There is no such directory, or it cannot be made.
  }
}

/** Whether a directory belongs to us and no other user can write it. Throws if it is missing. */
function isOurs(directory: string): boolean {
  const stats = lstatSync(directory)
  return stats.isDirectory() && stats.uid === process.geteuid?.() && (stats.mode & 0o022) === 0
}
