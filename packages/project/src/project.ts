import { realpathSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { problemOf } from './howdah-directory.ts'
import type { ProjectSettings } from './settings/project-settings.ts'
import { readSettings } from './settings/read-settings.ts'
import { settingsFileIn } from './settings/settings-file.ts'
import type { WorkTree } from './work-tree.ts'
import { workTreeAt } from './work-tree-at.ts'

/**
 * The kind of a project's directory: a plain directory, a work tree, a work tree that is linked to a main checkout, or a
 * submodule.
 */
export type ProjectKind = 'directory' | WorkTree['kind']

/** The project of a directory, which says where its cluster is. */
export interface Project {
  /** The real path of its directory. */
  readonly path: string
  readonly kind: ProjectKind
  /** The path of its `.howdah`, which may not exist. */
  readonly howdahDirectory: string
  /** The same project in the main checkout. `null` if this is not in a linked worktree, or the main checkout is missing. */
  readonly main: string | null
  /** The work tree that contains it. */
  readonly workTree: WorkTree | null
  /**
   * The path of its `howdah.json`, or of its `package.json` with the key `howdah`: its own, or the nearest one above it in the
   * work tree; `null` if there is none.
   */
  readonly settingsFile: string | null
  readonly settings: ProjectSettings
}

/** Options of a search for a project. */
export interface FindOptions {
  /** The user: files of other users are ignored. By default the user of this process. */
  readonly uid?: number | undefined
}

/**
 * Finds the project of a directory: the nearest directory upwards with a `howdah.json`, a `package.json` with the key
 * `howdah`, or a `.howdah`, or else the top of the work tree; outside of any work tree, the directory itself.
 *
 * In a linked worktree a directory also counts if it has one of them in the main checkout, so that a project has the same path in
 * all work trees. Reads only plain files, needs no git, and makes nothing. Throws {@link ProjectError} for an invalid
 * settings.
 *
 * @example
 * const { path, kind, main } = findProject(process.cwd())
 */
export function findProject(from: string, options: FindOptions = {}): Project {
  const uid = options.uid ?? process.geteuid?.() ?? 0
  const start = realOrGiven(from)
  const workTree = workTreeAround(start, uid)
  const top = workTree?.top ?? null
  const looked = new Map<string, string | null>()
  const settingsIn = (directory: string) => {
    const found = looked.has(directory)
      ? (looked.get(directory) ?? null)
      : settingsFileIn(directory, uid)
    looked.set(directory, found)
    return found
  }
  const hasProject = (directory: string) =>
    settingsIn(directory) !== null || problemOf(join(directory, '.howdah'), uid) === null
  const counterpart = (directory: string) =>
    workTree === null || workTree.main === null
      ? null
      : join(workTree.main, relative(workTree.top, directory))
  const path =
    nearest(start, top, (directory) => {
      const inMain = counterpart(directory)
      return hasProject(directory) || (inMain !== null && hasProject(inMain))
    }) ??
    top ??
    start
  const inMain = counterpart(path)
  const main =
    inMain === null || workTree === null
      ? null
      : (nearest(inMain, workTree.main, hasProject) ?? workTree.main)
  const withSettings = nearest(path, top, (directory) => settingsIn(directory) !== null)
  const settingsFile = withSettings === null ? null : settingsIn(withSettings)
  return {
    path,
    kind: workTree?.kind ?? 'directory',
    howdahDirectory: join(path, '.howdah'),
    main,
    workTree,
    settingsFile,
    settings: settingsFile === null ? {} : readSettings(settingsFile),
  }
}

function workTreeAround(start: string, uid: number): WorkTree | null {
  for (const directory of upwards(start, null)) {
    const found = workTreeAt(directory, uid)
    if (found !== null) return found
  }
  return null
}

/** The first directory upwards that matches, up to and including `last`. */
function nearest(
  from: string,
  last: string | null,
  fits: (directory: string) => boolean,
): string | null {
  for (const directory of upwards(from, last)) if (fits(directory)) return directory
  return null
}

function* upwards(from: string, last: string | null): Generator<string> {
  for (let directory = from; ; directory = dirname(directory)) {
    yield directory
    if (directory === last || dirname(directory) === directory) return
  }
}

function realOrGiven(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return resolve(path)
  }
}
