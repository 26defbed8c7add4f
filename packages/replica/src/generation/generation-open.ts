import { Readable } from 'node:stream'
import { decompressLz4Frame } from '@howdah/ltx'
import { inFile } from '../damage.ts'
import { ReplicaError } from '../errors.ts'
import type { Storage } from '../storage.ts'

/** Receives the number of compressed bytes of each read. */
export type Observer = (bytes: number) => void

/** The data of a compressed file, which is decompressed and verified while it is read. */
export async function openDecompressed(
  storage: Storage,
  path: string,
  observe: Observer = () => {},
): Promise<Readable> {
  const file = await storage.open(path, 0, 0)
  const data = Readable.from(decompressed(file, path, observe), { objectMode: false })
  return data.once('close', () => file.destroy())
}

/** The first of these files that exists, decompressed. Throws `ENOENT` if none exists. */
export async function openFirst(storage: Storage, paths: readonly string[]): Promise<Readable> {
  let missing
  for (const path of paths) {
    try {
      return await openDecompressed(storage, path)
    } catch (error) {
      if (!(error instanceof ReplicaError && error.code === 'ENOENT')) throw error
      missing ??= error
    }
  }
  throw missing
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
