import { createHash } from 'node:crypto'
import { closeSync, fstatSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openPlainFile, openPlainFileSync } from '@howdah/lock'

/** What is in a file. */
export interface Digest {
  /** In bytes. */
  readonly size: number
  readonly sha256: string
}

/** A file of up to so many bytes is read or copied in microseconds, and takes ten times as long through libuv's pool. */
export const smallest = 65_536
/** In bytes. */
const chunk = 1024 * 1024
/** For small files, one after another: a buffer for each would be garbage. */
const room = Buffer.allocUnsafe(smallest + 1)

/** How many small files are read at once before the event loop may go on. */
const smallAtOnce = 16
let small = 0

/** To be awaited after each small file. */
export async function restOfSmall(): Promise<void> {
  small = (small + 1) % smallAtOnce
  if (small === 0) await nextTurn()
}

/** A file's size and checksum. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<Digest> {
  signal?.throwIfAborted()
  const found = digestSmall(path)
  if (found !== null) {
    await restOfSmall()
    return found
  }
  await using file = await openPlainFile(path)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(Math.min(chunk, (await file.stat()).size + 1))
  let size = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

/** Of a small file, without libuv's pool; `null` if it is not small. */
function digestSmall(path: string): Digest | null {
  const fd = openPlainFileSync(path)
  try {
    if (fstatSync(fd).size > smallest) return null
    const bytes = readSmall(fd, room)
    return bytes && digestOf(bytes)
  } finally {
    closeSync(fd)
  }
}

/** What is in a small file, in the buffer; `null` if it does not fit. */
export function readSmall(fd: number, buffer: Buffer): Buffer | null {
  let length = 0
  for (;;) {
    const count = readSync(fd, buffer, length, buffer.length - length, length)
    if (count === 0) return buffer.subarray(0, length)
    length += count
    if (length === buffer.length) return null
  }
}

/** The digest of a file that has been read. */
export function digestOf(bytes: Buffer): Digest {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
