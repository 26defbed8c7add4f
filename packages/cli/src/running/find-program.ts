import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Io } from '../io.ts'
import { fullPath } from '../program/working-directory.ts'

/**
 * The path of the first program with the name on a PATH; `null` if there is none. An empty entry means the working
 * directory.
 */
export function findProgram(name: string, path: string, io: Pick<Io, 'cwd'>): string | null {
  for (const directory of path.split(delimiter)) {
    try {
      const candidate = join(fullPath(io, directory), name)
      accessSync(candidate, constants.X_OK)
      if (statSync(candidate).isFile()) return candidate
    } catch {
      // The program is not here, or we may not execute it. Tries the next directory.
    }
  }
  return null
}
