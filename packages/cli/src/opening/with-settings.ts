import { dirname, join } from 'node:path'
import { realAsFarAsThere } from '@howdah/durable'
import { findProject, mainBranch, type Project } from '@howdah/project'
import { workingDirectory } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { chooseDataDirectory, type DataDirectoryChoice } from './default-data-directory.ts'

/**
 * The context of a command, with what the settings of its cluster's project say. Options of the command line win over them, and
 * so do variables of the environment. A temporary cluster has the settings of the project here.
 */
export async function withSettings(context: Context): Promise<Context> {
  const { io, options } = context
  const isTemporary = options.temporary === true
  const place = isTemporary ? undefined : chooseDataDirectory(options.datadir, io)
  const project = place === undefined ? projectHere(context) : projectOf(place)
  if (project === null || project.settingsFile === null) return { ...context, place }
  const { addSettings } = await import('./add-settings.ts')
  const asked = { path: project.settingsFile, settings: project.settings }
  const isBranch = options.branch !== undefined && options.branch !== mainBranch
  const sharesPorts = isTemporary || isBranch || project.kind === 'linked-worktree'
  const added = addSettings(options, asked, { env: io.env, sharesPorts })
  return { ...context, place, asked, options: added }
}

function projectHere({ io }: Context): Project | null {
  const directory = workingDirectory(io)
  return directory === undefined ? null : findProject(directory)
}

/** The project of a cluster; `null` for a data directory that is not the place of a project's cluster. */
function projectOf({ found, project }: DataDirectoryChoice): Project | null {
  if (project === null) return null
  if (found?.howdahDirectory === project) return found
  // It was named by its path, or is the main checkout's.
  const directory = realAsFarAsThere(dirname(project))
  const named = findProject(directory)
  return named.howdahDirectory === join(directory, '.howdah') ? named : null
}
