import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

/** The path of the first program of that name along a PATH; `null` where there is none. An empty entry means `cwd`. */
export function findProgram(name: string, path: string, cwd: string): string | null {
  for (const directory of path.split(delimiter)) {
    const candidate = join(resolve(cwd, directory), name)
    try {
      accessSync(candidate, constants.X_OK)
      if (statSync(candidate).isFile()) return candidate
    } catch {
      // It is not there, or not for us: the next one may be.
    }
  }
  return null
}
