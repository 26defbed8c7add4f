import { closeSync, fstatSync, readSync, unlinkSync } from 'node:fs'
import { errno, openPlainFileSync } from '@howdah/durable'

/** The first `limit` bytes of a regular file, or the whole file if it is shorter. Throws errors of the system. */
export function readStart(path: string, limit = Infinity): Buffer {
  const fd = openPlainFileSync(path, { follow: false })
  try {
    const bytes = Buffer.allocUnsafe(Math.min(fstatSync(fd).size, limit))
    let size = 0
    while (size < bytes.length) {
      const count = readSync(fd, bytes, size, bytes.length - size, size)
      if (count === 0) break
      size += count
    }
    return bytes.subarray(0, size)
  } finally {
    closeSync(fd)
  }
}

/** Whether a name is that of a temporary file, in the present form or in the earlier form `.<name>.tmp`. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}

/** Removes a file, and returns whether there was one. Throws errors of the system. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
}
