import { accessSync, constants } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { errno } from '@howdah/durable'
import { homeDirectory } from './home-directory.ts'

/**
 * Where what can be made again is kept on this machine.
 *
 * The one that is given, else `$HOWDAH_CACHE_DIR`; else root's is `/var/cache/howdah`, which servers that run as other
 * users get to, and everybody else's is `$XDG_CACHE_HOME/howdah` or `~/.cache/howdah`. A user who has no home, or none that
 * anything can be written to, has `/var/tmp/howdah-cache-<uid>`. It need not exist, and nothing is said about who can write
 * it: see `trustedDirectory`.
 */
export function cacheDirectory(given?: string): string {
  const explicit = given ?? process.env['HOWDAH_CACHE_DIR']
  if (explicit) return resolve(explicit)
  const uid = process.geteuid?.()
  if (uid === 0) return '/var/cache/howdah'
  const xdg = process.env['XDG_CACHE_HOME']
  // Relative ones are to be ignored, says the XDG base directory specification.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'howdah')
  const home = homeDirectory()
  const inHome = home === null ? null : join(home, '.cache', 'howdah')
  if (inHome !== null && canBeUsed(inHome)) return inHome
  return `/var/tmp/howdah-cache-${uid}`
}

/** Whether a directory is there, or can be made in the nearest one above it that is. */
function canBeUsed(path: string): boolean {
  try {
    accessSync(`${path}/`, constants.X_OK)
    return true
  } catch (error) {
    return errno(error) === 'ENOENT' && canBeMade(path)
  }
}

function canBeMade(path: string): boolean {
  const parent = dirname(path)
  try {
    accessSync(`${parent}/`, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    const isMissing = errno(error) === 'ENOENT'
    return isMissing && parent !== path && canBeMade(parent)
  }
}
