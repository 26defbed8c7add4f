import { dirname } from 'node:path'
import type { ProjectSettings } from '@howdah/project'

/** The settings of a project, and where they come from. */
export interface Asked {
  /** The file with the settings, to whose directory paths in it are relative. */
  readonly path: string
  readonly settings: ProjectSettings
}

/** The directory to which paths in the settings are relative. */
export function baseOf({ path }: Asked): string {
  return dirname(path)
}
