import { lstatSync, readSync, writeSync } from 'node:fs'

/** The size of a stamp in bytes. Each stamp overwrites the one before it: to truncate a file takes longer than to write it. */
const size = 64

/**
 * Whether the file at the path was stamped last and has not changed since. Then nobody has given it extended attributes.
 *
 * The stamp is the content of the lock file, which the caller has locked. A missing file counts as stamped, because it has no
 * attributes.
 */
export function isStamped(lock: number, path: string): boolean {
  const identity = identify(path)
  if (identity === null) return true
  const bytes = Buffer.alloc(size)
  readSync(lock, bytes, 0, size, 0)
  return bytes.toString('latin1') === identity
}

/** Remembers that a file was published without extended attributes. If this fails, the next change only takes longer. */
export function stamp(lock: number, path: string): void {
  try {
    writeSync(lock, identify(path) ?? '', 0, 'latin1')
  } catch {
    // The lock file belongs to another user and is open only for reading.
  }
}

function identify(path: string): string | null {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}:${stats.ctimeNs}`.padEnd(size)
}
