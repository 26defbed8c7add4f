import type { DataDirectory } from '../data-directory.ts'
import { readIfThere } from '../files/read-if-there.ts'

/**
 * The setting by which a server on macOS brings what it calls written to the disk; nothing on other systems.
 *
 * fsync(2) of macOS leaves it in the drive's own memory, which a power cut empties. With `fsync_writethrough` PostgreSQL asks the drive
 * to write, for WAL and for all other files ("wal_sync_method" in PostgreSQL's manual, F_FULLFSYNC in fcntl(2) of macOS).
 *
 * It is given at the start and not kept in the cluster's files: no other system's server knows the value, and one with a copy of
 * these files would not start. If the files have a value of their own, that one counts.
 */
export function writeThrough(directory: DataDirectory): Record<string, string> {
  if (process.platform !== 'darwin') return {}
  for (const name of ['postgresql.conf', 'postgresql.auto.conf']) {
    const text = readIfThere(directory.file(name))
    if (text !== null && /^\s*wal_sync_method\b/im.test(text)) return {}
  }
  return { wal_sync_method: 'fsync_writethrough' }
}
