import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'

/**
 * Makes a directory, and those above it, unless it is there: 0700, whatever the umask. The mode of what is there stays.
 *
 * Throws errors of the system, `EEXIST` where something else is there.
 */
export function makeDirectory(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    // Once more, and not again: /proc says ENOENT of every name, whatever there is above it.
    makeOne(path)
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, 0o700)
    chmodSync(path, 0o700)
  } catch (error) {
    const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory()
    if (errno(error) !== 'EEXIST' || !isThere) throw error
  }
}
