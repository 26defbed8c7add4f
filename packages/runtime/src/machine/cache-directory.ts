import { accessSync, constants } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { errno } from '@howdah/durable'
import { homeDirectory } from './home-directory.ts'

/**
 * The directory of files that can be made again.
 *
 * It is the given one, otherwise `$HOWDAH_CACHE_DIR`. Without either, root uses `/var/cache/howdah`, which servers of other
 * users can reach, and other users use `$XDG_CACHE_HOME/howdah` or `~/.cache/howdah`. A user without a writable home
 * directory uses `/var/tmp/howdah-cache-<uid>`. The directory need not exist. This does not check who can write it: see
 * `trustedDirectory`.
 */
export function cacheDirectory(given?: string): string {
  const explicit = given ?? process.env['HOWDAH_CACHE_DIR']
  if (explicit) return resolve(explicit)
  const uid = process.geteuid?.()
  if (uid === 0) return '/var/cache/howdah'
  const xdg = process.env['XDG_CACHE_HOME']
  // The XDG base directory specification says that relative paths are to be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'howdah')
  const home = homeDirectory()
  const inHome = home === null ? null : join(home, '.cache', 'howdah')
  if (inHome !== null && canBeUsed(inHome)) return inHome
  return `/var/tmp/howdah-cache-${uid}`
}

/** Whether a directory exists and can be entered, or can be made in the nearest existing directory above it. */
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
