import { readdirSync, type Dirent } from 'node:fs'
import { isTemporary } from '../entry/entry-file.ts'
import { EntryId } from '../entry/entry-id.ts'
import { Entry } from '../entry/entry.ts'
import { errno } from '@howdah/durable'
import { StoreError, ioError } from '../errors.ts'
import type { SegmentPlace } from './segment-place.ts'

/** The name of a lock file, also of a store's big lock. */
export const lockName = 'lock'

/** Whether a name is that of a lock file, or of the gate that lies beside one if somebody had to wait. */
export function isLockName(name: string): boolean {
  return name === lockName || name === `${lockName}.gate`
}

/**
 * The entries of a segment, oldest first, and what else lies there: as entries with an error. The lock file and temporary
 * files are passed over. Throws `ERR_STORE_IO`.
 */
export function listEntries<State>(place: SegmentPlace<State>): Entry<State>[] {
  return listDirectory(place)
    .filter(({ name }) => !isLockName(name) && !isTemporary(name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((file) => {
      const { identity: segment, directory } = place
      return new Entry({ segment, directory, name: file.name }, identify(file, place), place.format)
    })
}

/** The temporary files that lie in a segment. */
export function listTemporary(place: SegmentPlace<unknown>): string[] {
  return listDirectory(place).flatMap(({ name }) => (isTemporary(name) ? [name] : []))
}

/** Whether a file is an entry by its name and type. */
export function isEntryFile(file: Dirent): boolean {
  return file.isFile() && EntryId.parse(file.name) !== null
}

/** What lies in a segment; nothing if its directory is gone. */
export function listDirectory({ identity, directory }: SegmentPlace<unknown>): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw ioError(error, { step: `list store segment ${identity}`, path: directory })
  }
}

function identify(
  file: Dirent,
  { identity, directory }: SegmentPlace<unknown>,
): EntryId | StoreError {
  const id = EntryId.parse(file.name)
  if (id !== null && file.isFile()) return id
  const why =
    id === null ? 'its name is not 32 lower-case hexadecimal digits' : 'it is not a regular file'
  const step = `use ${JSON.stringify(file.name)} as an entry of store segment ${identity}`
  const failure = { step, path: `${directory}/${file.name}` }
  return new StoreError('ERR_STORE_ENTRY_NAME', failure, `${why}; remove it`)
}
