import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, resolve } from 'node:path'

/** How to look for a program. */
export interface FindProgramOptions {
  /** The directory that empty and relative entries count from. Without it they are left out. */
  readonly cwd?: string | undefined
  /** Whether a program of that name will do. By default each will. */
  readonly accepts?: ((path: string) => boolean) | undefined
}

/** The path of the first program with the name on a PATH; `null` if there is none. */
export function findProgram(
  name: string,
  path = '',
  { cwd, accepts = () => true }: FindProgramOptions = {},
): string | null {
  for (const entry of path.split(delimiter)) {
    if (!isAbsolute(entry) && cwd === undefined) continue
    const program = resolve(cwd ?? '/', entry, name)
    if (isProgram(program) && accepts(program)) return program
  }
  return null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
