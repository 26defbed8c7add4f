import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  statSync,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'
import { errno, writeNewFile } from '@howdah/durable'

/** Every user who may write in the directory may contend for the lease, and so must be able to read its records. */
const groupWrites = 0o020
const othersWrite = 0o002

/**
 * Makes a complete, synced file. All users who may write in its directory can read it, whatever the umask of this process.
 * Otherwise its mode follows the umask, or the default access control list of the directory.
 */
export async function writeShared(path: string, bytes: Uint8Array): Promise<void> {
  const directory = statSync(dirname(path))
  await writeNewFile(path, bytes, {
    prepare: (fd) => {
      const file = fstatSync(fd)
      const join = () => fchownSync(fd, file.uid, directory.gid)
      const mode = file.mode | readBits(directory, canShare(directory, file, join))
      if (mode !== file.mode) fchmodSync(fd, mode & 0o777)
    },
  })
}

/** Makes a directory and its missing parents. All users who may write in the parent may write in the new directory. */
export function makeShared(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (errno(error) === 'EEXIST') return
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    makeShared(dirname(path))
    return makeShared(path)
  }
  const above = statSync(dirname(path))
  const made = statSync(path)
  const shared = canShare(above, made, () => chownSync(path, made.uid, above.gid))
  const kept =
    (shared ? above.mode & 0o2000 : 0) | (above.mode & othersWrite ? above.mode & 0o1000 : 0)
  const bits = (shared ? 0o070 : 0) | (above.mode & othersWrite ? 0o007 : 0)
  const mode = made.mode | bits | kept
  if (mode !== made.mode) chmodSync(path, mode & 0o7777)
}

function readBits(directory: Stats, shared: boolean): number {
  return (shared ? 0o040 : 0) | (directory.mode & othersWrite ? 0o004 : 0)
}

/**
 * Whether a group shares the directory and the new file belongs to that group. If it does not, `join` changes the file's
 * group.
 */
function canShare(directory: Stats, made: Stats, join: () => void): boolean {
  if ((directory.mode & groupWrites) === 0) return false
  if (made.gid === directory.gid) return true
  try {
    join()
    return true
  } catch {
    // This user is not in the group, and so cannot share the file with it.
    return false
  }
}
