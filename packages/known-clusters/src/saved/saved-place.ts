import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { namesIn } from '@howdah/durable'

/** How long saved clusters and databases are kept, in ms. */
export const longestKept = 7 * 24 * 60 * 60 * 1000

/** The end of the name of an item that is still being made. */
export const beingMade = '.new'

/** The directory beside a data directory in which its saved clusters lie, each in `ID/data`. */
export function savedPlaceOf(dataDir: string): string {
  const above = dirname(dataDir)
  return join(above, basename(above) === '.howdah' ? 'saved' : '.howdah-saved')
}

/**
 * The directories in a place of saved clusters that have no whole cluster: a process is making one there, or was killed while
 * it did.
 */
export function unfinishedIn(place: string): string[] {
  return namesIn(place)
    .map((name) => join(place, name))
    .filter((item) => isUnfinished(item))
}

/** Whether a directory in a place of saved clusters has no whole cluster. */
export function isUnfinished(item: string): boolean {
  return item.endsWith(beingMade) || !existsSync(join(item, 'data', 'PG_VERSION'))
}

/** Whether something in a place of saved clusters is to be removed: it is unfinished, or its name says that it is too old. */
export function hasLeftovers(place: string): boolean {
  return unfinishedIn(place).length > 0 || namesIn(place).some(isOld)
}

/** A name begins with a time in UTC, such as `20261129T125749`. */
function isOld(name: string): boolean {
  const at = name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d).*$/, '$1-$2-$3T$4:$5:$6Z')
  return Date.now() - Date.parse(at) > longestKept
}
