import { existsSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { notARuntime } from './errors.ts'

/** A program `postgres` that is probably a server. */
export interface LocatedServer {
  /** The directory of the server's programs. */
  readonly bindir: string
  /** The real path of `postgres`. */
  readonly postgres: string
  readonly stats: Stats
}

/**
 * Finds the directory of a server's programs.
 *
 * If `postgres` in the given directory is a link to another directory, as package managers make in /usr/local/bin, this is
 * the other directory. Symbolic links in the directory's own path are kept. Throws `ERR_RUNTIME_NOT_A_RUNTIME`. It runs no
 * program.
 */
export function locateServer(directory: string): LocatedServer {
  const path = join(directory, 'postgres')
  const real = realPathOf(path, directory)
  if (basename(real) !== 'postgres') {
    const detail = `${path} leads to ${real}, which chooses between versions`
    throw notARuntime(directory, 'wrapper', detail)
  }
  if (basename(dirname(real)) === 'shims') {
    const detail = `${path} is a shim, which chooses a version by its working directory`
    throw notARuntime(directory, 'wrapper', detail)
  }
  const stats = statSync(real)
  if (!stats.isFile() || (stats.mode & 0o111) === 0) {
    throw notARuntime(directory, 'not-executable', `${real} is not an executable file`)
  }
  const isItself = realpathSync.native(directory) === dirname(real)
  return { bindir: isItself ? directory : dirname(real), postgres: real, stats }
}

function realPathOf(path: string, directory: string): string {
  try {
    return realpathSync.native(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EACCES') {
      throw notARuntime(directory, 'not-executable', `we may not look at ${path}`, cause)
    }
    if (code === 'ENOENT' && existsSync(join(directory, 'psql'))) {
      throw notARuntime(directory, 'client-only', 'it has psql, but no postgres', cause)
    }
    throw notARuntime(directory, 'missing', `there is no ${path}`, cause)
  }
}
