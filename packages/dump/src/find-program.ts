import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of the first program with the name on PATH that `accepts` accepts; `null` if there is none. */
export function findProgram(
  name: string,
  env: Readonly<Record<string, string>>,
  accepts: (path: string) => boolean = () => true,
): string | null {
  const directories = (env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return (
    directories
      .map((directory) => join(directory, name))
      .find((path) => isProgram(path) && accepts(path)) ?? null
  )
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
