import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'

/**
 * Makes a directory, and those above it, unless they are there. With `mode`, what is made has just that mode, whatever the
 * umask; else 0777 less the umask. `within` is a directory around it that has to be there, as somebody may remove it at any
 * time: it is never made, and this throws `ENOENT` if it is missing.
 *
 * Each directory is tried at most twice: once more after its parents were made. In `/proc` and behind a dangling link, the
 * system always answers that a parent is missing, and Node's own `recursive` never returns. Throws errors of the system, and
 * `EEXIST` if the path leads to something other than a directory.
 */
export function makeDirectories(path: string, mode?: number, within?: string): void {
  if (path === within) return void statSync(path)
  try {
    make(path, mode)
  } catch (error) {
    const above = dirname(path)
    if (errno(error) !== 'ENOENT' || above === path || above === within) throw error
    makeDirectories(above, mode, within)
    make(path, mode)
  }
}

function make(path: string, mode: number | undefined): void {
  // Usually the directory exists, and a failed mkdir costs several times as much as a look.
  if (isDirectory(path)) return
  try {
    mkdirSync(path, mode)
    if (mode !== undefined) chmodSync(path, mode)
  } catch (error) {
    if (errno(error) !== 'EEXIST' || !isDirectory(path)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
