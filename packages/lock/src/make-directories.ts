import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'

/**
 * Makes a directory and its missing parents. New directories have the mode `mode`, whatever the umask; without it 0777 less
 * the umask.
 *
 * Each directory is tried at most twice: once more after its parents were made. In `/proc` and behind a dangling link, the
 * system always answers that a parent is missing, and Node's own `recursive` never returns. Throws errors of the system, and
 * `EEXIST` if the path leads to something other than a directory.
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
