import { readdirSync, type Dirent } from 'node:fs'
import { isTemporary } from '../entry/entry-file.ts'
import { EntryId } from '../entry/entry-id.ts'
import { Entry } from '../entry/entry.ts'
import { errno } from '@howdah/durable'
import { StoreError, ioError } from '../errors.ts'
import type { SegmentPlace } from './segment-place.ts'

/** The name of the lock file of a segment, and of the big lock of a store. */
export const lockName = 'lock'

/** Whether a name is that of a lock file, or of the gate that is made beside one when somebody has to wait. */
export function isLockName(name: string): boolean {
  return name === lockName || name === `${lockName}.gate`
}

/**
 * The entries of a segment, oldest first. Other files there are given as entries with an error, except the lock file and
 * temporary files, which are left out. Throws `ERR_STORE_IO`.
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

/** The names of the temporary files in a segment. */
export function listTemporary(place: SegmentPlace<unknown>): string[] {
  return listDirectory(place).flatMap(({ name }) => (isTemporary(name) ? [name] : []))
}

/** Whether a file is an entry by its name and type. */
export function isEntryFile(file: Dirent): boolean {
  return file.isFile() && EntryId.parse(file.name) !== null
}

/** All files in a segment; none if its directory is gone. */
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
