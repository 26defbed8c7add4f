import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from '@howdah/data-directory'

/**
 * The directories that a cluster has in tablespaces outside of its data directory: `<location>/PG_<major>_<catalog version>`,
 * one for each link in `pg_tblspc`. A server makes such a directory only if there is none, and links it after that, so a linked
 * one belongs to the cluster. See "pg_tblspc" in PostgreSQL's `commands/tablespace.c`.
 */
export function tablespaceDirectories(dataDir: string, major: number): string[] {
  return linksIn(join(dataDir, 'pg_tblspc')).flatMap((location) =>
    namesIn(location)
      .filter((name) => name.startsWith(`PG_${major}_`))
      .map((name) => join(location, name)),
  )
}

/** Removes the directories that {@link tablespaceDirectories} has found. */
export async function removeTablespaceDirectories(directories: readonly string[]): Promise<void> {
  for (const directory of directories) await removeTree(directory)
}

function linksIn(directory: string): string[] {
  return namesIn(directory).flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))]
    } catch {
      // In-place tablespaces are directories.
      return []
    }
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
