import { statSync } from 'node:fs'
import type { DataDirectory } from '../data-directory.ts'

/**
 * Whether a path leads to a data directory, by device and inode; `null` if there is nothing at the path. A path written by a
 * server in a container may mean another directory here.
 */
export function leadsHere(path: string, directory: DataDirectory): boolean | null {
  try {
    const [named, here] = [path, directory.path].map((one) => statSync(one, { bigint: true }))
    return named?.dev === here?.dev && named?.ino === here?.ino
  } catch {
    return null
  }
}
