import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The name of the file by which a directory with backups is recognized. */
export const backupMark = 'howdah-backups.json'

/**
 * The directory with backups at or above `path`; `null` if there is none. `path` need not exist, and must have no symbolic
 * links. A directory that this user may not look into counts as having none.
 */
export function backupsAround(path: string): string | null {
  for (let above = path; ; above = dirname(above)) {
    if (existsSync(join(above, backupMark))) return above
    if (dirname(above) === above) return null
  }
}
