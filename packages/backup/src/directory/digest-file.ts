import { createHash } from 'node:crypto'
import { closeSync, fstatSync, readFileSync } from 'node:fs'
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

/** A file's size and checksum. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<Digest> {
  signal?.throwIfAborted()
  const small = digestSmall(path)
  if (small !== null) {
    await nextTurn()
    return small
  }
  await using file = await openPlainFile(path)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(chunk)
  let size = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, chunk, null)
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

/** Of a small file, without libuv's pool; `null` if it is not small. */
function digestSmall(path: string): Digest | null {
  const fd = openPlainFileSync(path)
  try {
    return fstatSync(fd).size > smallest ? null : digestOf(readFileSync(fd))
  } finally {
    closeSync(fd)
  }
}

/** The digest of a file that has been read. */
export function digestOf(bytes: Buffer): Digest {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
