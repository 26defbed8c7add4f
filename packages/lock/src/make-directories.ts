import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'

/**
 * Makes a directory, and those above it, unless they are there. With `mode`, what is made has just that mode, whatever the
 * umask; else 0777 less the umask.
 *
 * Each is tried once more after those above it were made, and then it ends: in `/proc` and behind a link that leads nowhere
 * the system says for ever that something above is missing, and Node's own `recursive` never returns. Throws errors of the system, and
 * `EEXIST` if something else is there.
 */
export function makeDirectories(path: string, mode?: number): void {
  try {
    make(path, mode)
  } catch (error) {
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectories(dirname(path), mode)
    make(path, mode)
  }
}

function make(path: string, mode: number | undefined): void {
  try {
    mkdirSync(path, mode)
    if (mode !== undefined) chmodSync(path, mode)
  } catch (error) {
    if (errno(error) === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory())
      return
    throw error
  }
}
