import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from './errno.ts'

/**
 * Makes a directory, and those above it, unless it is there: 0700, whatever the umask. The mode of what is there stays.
 *
 * Throws errors of the system, `EEXIST` where something else is there.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, 0o700)
    chmodSync(path, 0o700)
  } catch (error) {
    const code = errno(error)
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    makeDirectory(path)
  }
}
