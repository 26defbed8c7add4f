import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeDirectories } from '@howdah/lock'
import { findProject, missing, problemOf, type Project } from '@howdah/project'
import { foreignDirectory, removed } from '../errors.ts'
import type { Io } from '../io.ts'
import { fullPath } from '../program/working-directory.ts'

/** Where the data directory is, and why there. */
export interface DataDirectoryChoice {
  /** Absolute. */
  readonly path: string
  /** The `.howdah` that it lies in, if it lies in one. */
  readonly project: string | null
  /** The project by which it was found; `null` if the data directory was named. */
  readonly found: Project | null
}

/**
 * Chooses the data directory: the one asked for, else `PGDATA`, else `.howdah/data` in the project of `cwd`, which
 * `findProject` of `@howdah/project` finds. A linked worktree has a project of its own, unless `howdah.json` says
 * that worktrees share the cluster of the main checkout.
 *
 * A `.howdah` that belongs neither to us nor to root, or in which another user can put a data directory, is passed over. If
 * it is that of the project itself, this throws `ERR_CLI_FOREIGN_DIRECTORY`.
 */
export function chooseDataDirectory(
  asked: string | undefined,
  io: Pick<Io, 'env' | 'cwd'>,
  uid: number = process.getuid?.() ?? 0,
): DataDirectoryChoice {
  const named = asked ?? io.env['PGDATA']
  if (named !== undefined && named !== '') return namedDataDirectory(fullPath(io, named))
  const found = findProject(io.cwd, { uid })
  const isShared = found.settings.worktrees === 'shared' && found.main !== null
  return inProject(isShared ? found.main : found.path, found, uid)
}

/** The data directory of the main checkout's project, or of `cwd`'s own project if there is no other. */
export function mainDataDirectory(
  io: Pick<Io, 'cwd'>,
  uid: number = process.getuid?.() ?? 0,
): DataDirectoryChoice {
  const found = findProject(io.cwd, { uid })
  return inProject(found.main ?? found.path, found, uid)
}

function inProject(directory: string, found: Project, uid: number): DataDirectoryChoice {
  const project = join(directory, '.howdah')
  const problem = problemOf(project, uid)
  if (problem !== null && problem !== missing) throw foreignDirectory(project, problem)
  return { path: join(project, 'data'), project, found }
}

/** The choice of a data directory that is named, by its absolute path. */
export function namedDataDirectory(path: string): DataDirectoryChoice {
  const parent = dirname(path)
  return { path, project: basename(parent) === '.howdah' ? parent : null, found: null }
}

/**
 * A cluster that howdah would have taken when the top of a work tree did not yet end the search: the one of the nearest
 * `.howdah` above the project. `null` if there is none.
 */
export function formerDataDirectory(
  { path, found }: DataDirectoryChoice,
  uid: number = process.getuid?.() ?? 0,
): string | null {
  if (found === null) return null
  for (let above = dirname(found.path); ; above = dirname(above)) {
    const project = join(above, '.howdah')
    const data = join(project, 'data')
    if (problemOf(project, uid) === null && data !== path) {
      return existsSync(join(data, 'PG_VERSION')) ? data : null
    }
    if (dirname(above) === above) return null
  }
}

/** The directory of a project that was found. It is never made, since somebody may remove it at any time. */
export function projectDirectory({ found, project }: DataDirectoryChoice): string | undefined {
  return found === null || project === null ? undefined : dirname(project)
}

/**
 * Makes the `.howdah` that a cluster is about to be created in, with a file that keeps it out of git. Throws
 * `ERR_CLI_REMOVED` if the directory of the project was removed since it was found.
 */
export function prepareProject(place: Pick<DataDirectoryChoice, 'project' | 'found'>): void {
  const { project, found } = place
  if (project === null) return
  if (found === null) makeDirectories(dirname(project))
  try {
    // Whatever the umask leaves, nobody else is to put a data directory here.
    mkdirSync(project, 0o755)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw removed(dirname(project))
    if (code !== 'EEXIST') throw error
  }
  try {
    writeFileSync(join(project, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
