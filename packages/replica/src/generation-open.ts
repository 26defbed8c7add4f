import { Readable } from 'node:stream'
import { decompressLz4Frame } from '@howdah/ltx'
import { inFile } from './damage.ts'
import { ReplicaError } from './errors.ts'
import { snapshotPath, walSegmentPaths } from './generation-files.ts'
import type { Layout } from './layout.ts'
import { openRange } from './open-range.ts'

/** Told of the compressed bytes as they are read. */
type Observer = (bytes: number) => void

/** A snapshot's data, decompressed. */
export async function openSnapshot(
  layout: Layout,
  generation: string,
  index: number,
  observe?: Observer,
): Promise<Readable> {
  return await openDecompressed(snapshotPath(layout, generation, index), observe)
}

/** A WAL segment's data, decompressed. */
export async function openWalSegment(
  layout: Layout,
  generation: string,
  index: number,
  offset: number,
  observe?: Observer,
): Promise<Readable> {
  let missing
  for (const path of walSegmentPaths(layout, generation, index, offset)) {
    try {
      return await openDecompressed(path, observe)
    } catch (error) {
      if (!(error instanceof ReplicaError && error.code === 'ENOENT')) throw error
      missing ??= error
    }
  }
  throw missing
}

async function openDecompressed(path: string, observe: Observer = () => {}): Promise<Readable> {
  const file = await openRange(path, 0, 0)
  const data = Readable.from(decompressed(file, path, observe), { objectMode: false })
  return data.once('close', () => file.destroy())
}

async function* decompressed(
  file: Readable,
  path: string,
  observe: Observer,
): AsyncGenerator<Buffer, void, void> {
  try {
    yield* decompressLz4Frame(observed(file, observe))
  } catch (error) {
    throw inFile(error, path)
  }
}

async function* observed(file: Readable, observe: Observer): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of file as AsyncIterable<Buffer>) {
    observe(chunk.length)
    yield chunk
  }
}
