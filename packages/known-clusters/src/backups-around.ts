import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The name of the file that tells a directory with backups. */
export const backupMark = 'howdah-backups.json'

/**
 * The directory with backups that `path` is, or lies in; `null` if there is none. `path` need not exist. Give it
 * without symbolic links. What may not be looked at counts as not there.
 */
export function backupsAround(path: string): string | null {
  for (let above = path; ; above = dirname(above)) {
    if (existsSync(join(above, backupMark))) return above
    if (dirname(above) === above) return null
  }
}
