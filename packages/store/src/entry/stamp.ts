import { ftruncateSync, lstatSync, readSync, writeSync } from 'node:fs'

/**
 * Whether the file is the one that was stamped last, and has not been changed since: so nobody gave it extended attributes.
 *
 * The stamp is the content of the lock file, which is held. A file that is missing has none either.
 */
export function isStamped(lock: number, path: string): boolean {
  const identity = identify(path)
  if (identity === null) return true
  const bytes = Buffer.alloc(100)
  return bytes.toString('latin1', 0, readSync(lock, bytes, 0, bytes.length, 0)) === identity
}

/** Remembers that a file was published without extended attributes. That it cannot be remembered costs time only. */
export function stamp(lock: number, path: string): void {
  try {
    ftruncateSync(lock)
    writeSync(lock, identify(path) ?? '', 0, 'latin1')
  } catch {
    // The lock file is another user's, and open for reading only.
  }
}

function identify(path: string): string | null {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}:${stats.ctimeNs}`
}
