import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { CacheDirectoryError } from './errors.ts'

/**
 * Where what can be made again is kept on this machine.
 *
 * The one that is given, else `$HOWDAH_CACHE_DIR`; else root's is `/var/cache/howdah`, which servers that run as other
 * users get to, and everybody else's is `$XDG_CACHE_HOME/howdah` or `~/.cache/howdah`. It need not exist, and nothing is
 * said about who can write it: see `trustedDirectory`.
 */
export function cacheDirectory(given?: string): string {
  const explicit = given ?? process.env['HOWDAH_CACHE_DIR']
  if (explicit) return resolve(explicit)
  if (process.geteuid?.() === 0) return '/var/cache/howdah'
  const xdg = process.env['XDG_CACHE_HOME']
  // Relative ones are to be ignored, says the XDG base directory specification.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'howdah')
  const home = homedir()
  if (!isAbsolute(home))
    throw new CacheDirectoryError('~/.cache/howdah', 'there is no home directory')
  return join(home, '.cache', 'howdah')
}
