import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { chooseServerUser, writeOwnFile } from '@howdah/data-directory'
import { errno } from '@howdah/durable'
import { makeDirectories } from '@howdah/lock'
import { findProject, makeHowdahDirectory, missing, problemOf, type Project } from '@howdah/project'
import { fullPath } from '@howdah/terminal'
import { foreignDirectory, removed } from '../errors.ts'
import type { Io } from '../io.ts'

/** The chosen data directory, and the reason for the choice. */
export interface DataDirectoryChoice {
  /** Absolute. */
  readonly path: string
  /** The `.howdah` in which it lies; `null` if it does not lie in one. */
  readonly project: string | null
  /** The project by which it was found; `null` if the data directory was given explicitly. */
  readonly found: Project | null
}

/**
 * Chooses the data directory: the given one, else `PGDATA`, else `.howdah/data` in the project of `cwd`, which
 * `findProject` of `@howdah/project` finds. A linked worktree has a project of its own, unless `howdah.json` says
 * that worktrees share the cluster of the main checkout.
 *
 * A `.howdah` that belongs to another user than us or root, or in which another user could put a data directory, is ignored.
 * If it belongs to the project itself, this throws `ERR_CLI_FOREIGN_DIRECTORY`.
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

/** The choice of a data directory that is given by its absolute path. */
export function namedDataDirectory(path: string): DataDirectoryChoice {
  const parent = dirname(path)
  return { path, project: basename(parent) === '.howdah' ? parent : null, found: null }
}

/**
 * The cluster that earlier versions of howdah would have chosen, which searched above the top of the work tree: that of the
 * nearest `.howdah` above the project. `null` if there is none.
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

/**
 * Keeps a cluster out of git: by the ignore file of its `.howdah`, or of its data directory if it does not lie in one. The file
 * belongs to the owner of the directory, and is not there for a directory in which it cannot be made.
 */
export async function keepOutOfGit(place: DataDirectoryChoice): Promise<void> {
  if (place.project !== null) return prepareProject(place)
  const path = join(place.path, '.gitignore')
  if (!existsSync(path)) await writeOwnFile(path, '*\n', await chooseServerUser(place.path))
}

/** The directory of a found project. It is never made, because somebody may remove it at any time. */
export function projectDirectory({ found, project }: DataDirectoryChoice): string | undefined {
  return found === null || project === null ? undefined : dirname(project)
}

/**
 * Makes the `.howdah` for a new cluster, with a file that keeps it out of git. Throws `ERR_CLI_REMOVED` if the directory of
 * the project was removed since it was found.
 */
export function prepareProject(place: Pick<DataDirectoryChoice, 'project' | 'found'>): void {
  const { project, found } = place
  if (project === null) return
  if (found === null) makeDirectories(dirname(project))
  try {
    makeHowdahDirectory(project)
  } catch (error) {
    throw errno(error) === 'ENOENT' ? removed(dirname(project)) : error
  }
}
