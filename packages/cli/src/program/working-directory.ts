import { isAbsolute, resolve } from 'node:path'
import type { Io } from '../io.ts'

/** The directory that paths are relative to; `undefined` if it was deleted. A command still runs in it, by inheriting it. */
export function workingDirectory(io: Pick<Io, 'cwd'>): string | undefined {
  try {
    return io.cwd
  } catch {
    return undefined
  }
}

/** A path in full. Only a relative one asks for the working directory, and throws if that was deleted. */
export function fullPath(io: Pick<Io, 'cwd'>, path: string): string {
  return resolve(isAbsolute(path) ? '/' : io.cwd, path)
}
