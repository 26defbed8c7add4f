import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openPlainFileSync } from '@howdah/lock'
import { errno } from './errno.ts'
import { syncDirectory } from './sync-directory.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
const syncDescriptor = promisify(fsync)

/** The first bytes of a regular file, all of them where there are fewer. Throws errors of the system. */
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

/** How a file is made. */
export interface Making {
  /** Survive a power failure, too, which costs milliseconds. */
  readonly durable: boolean
  /** Called before the file appears. What it throws keeps it from appearing. */
  readonly check: () => void
}

/** Where a file is written before it appears under its name. */
export function temporaryName(name: string): string {
  return `.${name}.tmp`
}

/** Whether a name is one of {@link temporaryName}. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}

/**
 * Makes a file that is complete or absent, whenever this process is killed: writes it under another name, and links it
 * to its own. Throws errors of the system, `EEXIST` where there is one.
 */
export async function makeFile(
  directory: string,
  name: string,
  bytes: Uint8Array,
  { durable, check }: Making,
): Promise<void> {
  const temporary = join(directory, temporaryName(name))
  const fd = openNew(temporary)
  try {
    try {
      for (let written = 0; written < bytes.byteLength;) {
        written += writeSync(fd, bytes, written)
      }
      if (durable) await syncDescriptor(fd)
    } finally {
      closeSync(fd)
    }
    check()
    linkSync(temporary, join(directory, name))
  } finally {
    removeFile(temporary)
  }
  if (durable) await syncDirectory(directory)
}

/** Removes a file, if it is there, and returns whether it was. Throws errors of the system. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
}

/** Opens a new file, in the place of what a killed process may have left. */
function openNew(path: string): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
    removeFile(path)
    return openSync(path, flags, 0o600)
  }
}
