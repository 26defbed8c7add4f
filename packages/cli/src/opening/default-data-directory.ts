import { lstatSync, mkdirSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeDirectories } from '@howdah/lock'
import { ForeignDirectoryError } from '../errors.ts'
import type { Io } from '../io.ts'
import { fullPath } from '../program/working-directory.ts'

/** Where the data directory is, and why there. */
export interface DataDirectoryChoice {
  /** Absolute. */
  readonly path: string
  /** The `.howdah` that it lies in, if it lies in one. */
  readonly project: string | null
}

/**
 * Chooses the data directory: the one asked for, else `PGDATA`, else `data` in the nearest `.howdah` from `cwd` upwards,
 * else `.howdah/data` in `cwd`.
 *
 * A `.howdah` that belongs neither to us nor to root, or in which another user can put a data directory, is passed over: it
 * would mean another's server. If it is that of `cwd` itself, so that nothing is left to fall back on, this throws
 * {@link ForeignDirectoryError}.
 */
export function chooseDataDirectory(
  asked: string | undefined,
  io: Pick<Io, 'env' | 'cwd'>,
  uid: number = process.getuid?.() ?? 0,
): DataDirectoryChoice {
  const named = asked ?? io.env['PGDATA']
  if (named !== undefined && named !== '') return namedDataDirectory(fullPath(io, named))
  const { cwd } = io
  for (const directory of upwards(cwd)) {
    const project = join(directory, '.howdah')
    if (problemOf(project, uid) === null) return { path: join(project, 'data'), project }
  }
  const project = join(cwd, '.howdah')
  const problem = problemOf(project, uid)
  if (problem !== null && problem !== missing) throw new ForeignDirectoryError(project, problem)
  return { path: join(project, 'data'), project }
}

/** The choice of a data directory that is named, by its absolute path. */
export function namedDataDirectory(path: string): DataDirectoryChoice {
  const parent = dirname(path)
  return { path, project: basename(parent) === '.howdah' ? parent : null }
}

/** Makes the `.howdah` that a cluster is about to be created in, with a file that keeps it out of git. */
export function prepareProject(project: string): void {
  makeDirectories(dirname(project))
  try {
    // Whatever the umask leaves, nobody else is to put a data directory here.
    mkdirSync(project, 0o755)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  try {
    writeFileSync(join(project, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

const missing = 'is missing'

/** Why a `.howdah` is not to be used; `null` if it may. A link counts as whoever made it and as what it leads to. */
function problemOf(project: string, uid: number): string | null {
  const ours = (stats: Stats) => stats.uid === uid || stats.uid === 0
  try {
    const link = lstatSync(project)
    const target = statSync(project)
    if (!target.isDirectory()) return 'is not a directory'
    if (!ours(link) || !ours(target)) {
      return `belongs to another user (uid ${ours(link) ? target.uid : link.uid})`
    }
    if ((target.mode & 0o002) !== 0) return 'can be written by everybody (mend it with: chmod o-w)'
    // As root, we run the clusters of other users.
    const data = uid === 0 ? undefined : statSync(join(project, 'data'), { throwIfNoEntry: false })
    if (data === undefined || ours(data)) return null
    return `has the data directory of another user (uid ${data.uid})`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? missing : `cannot be looked at (${code})`
  }
}

function* upwards(from: string): Generator<string> {
  for (let directory = from; ; directory = dirname(directory)) {
    yield directory
    if (dirname(directory) === directory) return
  }
}
