import { isAbsolute, resolve } from 'node:path'
import type { ProcessIo } from './process-io.ts'

/** The working directory; `undefined` if it was deleted. In that case a program still runs in it, because it inherits it. */
export function workingDirectory(io: Pick<ProcessIo, 'cwd'>): string | undefined {
  try {
    return io.cwd
  } catch {
    return undefined
  }
}

/** Makes a path absolute. Throws for a relative path if the working directory was deleted. */
export function fullPath(io: Pick<ProcessIo, 'cwd'>, path: string): string {
  return resolve(isAbsolute(path) ? '/' : io.cwd, path)
}
