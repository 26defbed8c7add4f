import type { Stats } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { NotARuntimeError } from './errors.ts'

/** A `postgres` that may well be one. */
export interface LocatedServer {
  /** The directory whose programs belong together. */
  readonly bindir: string
  /** The real path of `postgres`. */
  readonly postgres: string
  readonly stats: Stats
}

/**
 * Finds the directory of programs that a directory stands for.
 *
 * Where `postgres` is a link to somewhere else, as package managers put into /usr/local/bin, it is the directory behind
 * that link. A directory through which one only gets by links of its own keeps its name. Throws
 * {@link NotARuntimeError}; nothing is run.
 */
export async function locateServer(directory: string): Promise<LocatedServer> {
  const path = join(directory, 'postgres')
  const real = await realpath(path).catch(async (cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EACCES') {
      throw new NotARuntimeError(directory, 'not-executable', `we may not look at ${path}`, {
        cause,
      })
    }
    if (code === 'ENOENT' && (await exists(join(directory, 'psql')))) {
      throw new NotARuntimeError(directory, 'client-only', 'it has psql, but no postgres', {
        cause,
      })
    }
    throw new NotARuntimeError(directory, 'missing', `there is no ${path}`, { cause })
  })
  if (basename(real) !== 'postgres') {
    const detail = `${path} leads to ${real}, which chooses between versions`
    throw new NotARuntimeError(directory, 'wrapper', detail)
  }
  if (basename(dirname(real)) === 'shims') {
    const detail = `${path} is a shim, which chooses a version by the directory it is called in`
    throw new NotARuntimeError(directory, 'wrapper', detail)
  }
  const [stats, realDirectory] = await Promise.all([stat(real), realpath(directory)])
  if (!stats.isFile() || (stats.mode & 0o111) === 0) {
    throw new NotARuntimeError(directory, 'not-executable', `${real} is not an executable file`)
  }
  const bindir = realDirectory === dirname(real) ? directory : dirname(real)
  return { bindir, postgres: real, stats }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
