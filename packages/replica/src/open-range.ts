import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { io, ReplicaError } from './errors.ts'

const chunkSize = 262_144

/** Opens a range of a file as a stream; a size of 0 means up to the end. The file is closed with the stream. */
export async function openRange(path: string, offset: number, size: number): Promise<Readable> {
  for (const [what, value] of Object.entries({ offset, size })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ReplicaError('ERR_REPLICA_OPTION', `the ${what} ${value} is no natural number`, {
        path,
      })
    }
  }
  const handle = await io('open', path, () => open(path, 'r'))
  return handle.createReadStream({
    start: offset,
    highWaterMark: chunkSize,
    ...(size === 0 ? {} : { end: offset + size - 1 }),
  })
}
