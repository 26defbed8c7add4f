import { createReadStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import * as zlib from 'node:zlib'
import { errno } from '@howdah/durable'
import { DumpError } from '../../errors.ts'

/** The text to load, or an archive that only pg_restore reads. */
export type Script =
  | {
      readonly kind: 'sql'
      /** Uncompressed. */
      readonly bytes: AsyncIterable<Uint8Array>
      /** How many bytes of the file have been read so far. */
      readonly read: () => number
      /** The size of the file; `null` for a stream. */
      readonly size: number | null
    }
  | { readonly kind: 'archive'; readonly path: string | null; readonly format: string }

/** Opens a file or a stream, and recognizes its kind by its first bytes. Throws `ERR_LOAD_UNREADABLE`. */
export async function openScript(from: string | Readable): Promise<Script> {
  const path = typeof from === 'string' ? from : null
  const size = path === null ? null : sizeOf(path)
  if (size === 'directory')
    return { kind: 'archive', path, format: path === null ? '' : directoryFormat(path) }
  const source = typeof from === 'string' ? createReadStream(from) : from
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let read = 0
  const first: Uint8Array[] = []
  let begin = Buffer.alloc(0)
  while (begin.length < 300) {
    const { value, done } = await chunks.next()
    if (done === true) break
    first.push(Buffer.from(value))
    begin = Buffer.concat(first)
  }
  if (begin.subarray(0, 5).toString('latin1') === 'PGDMP') {
    source.destroy()
    return { kind: 'archive', path, format: 'custom' }
  }
  if (begin.subarray(257, 262).toString('latin1') === 'ustar') {
    source.destroy()
    return { kind: 'archive', path, format: 'tar' }
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    if (begin.length > 0) {
      read += begin.length
      yield begin
    }
    for (;;) {
      const { value, done } = await chunks.next()
      if (done === true) return
      read += value.length
      yield value
    }
  }
  return { kind: 'sql', bytes: await uncompressed(begin, all()), read: () => read, size }
}

async function uncompressed(
  begin: Uint8Array,
  bytes: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const magic = Buffer.from(begin.subarray(0, 4)).toString('hex')
  if (magic.startsWith('1f8b')) return through(bytes, createGunzip())
  if (magic === '28b52ffd') return through(bytes, await zstdDecoder())
  return bytes
}

function through(bytes: AsyncIterable<Uint8Array>, decoder: Transform): AsyncIterable<Uint8Array> {
  // The reader sees a failure.
  return pipeline(bytes, decoder, () => undefined) as AsyncIterable<Uint8Array>
}

/** Node has it from 22.15 on. */
async function zstdDecoder(): Promise<Transform> {
  const { createZstdDecompress } = zlib as unknown as { createZstdDecompress?: () => Transform }
  if (createZstdDecompress !== undefined) return createZstdDecompress()
  const { Decompress } = await import('fzstd')
  const decoder = new Decompress()
  const transform = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      try {
        decoder.push(chunk)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      try {
        decoder.push(new Uint8Array(0), true)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
  decoder.ondata = (chunk) => transform.push(chunk)
  return transform
}

function sizeOf(path: string): number | 'directory' {
  try {
    const stats = statSync(path)
    return stats.isDirectory() ? 'directory' : stats.size
  } catch (cause) {
    const why = errno(cause) === 'ENOENT' ? 'there is no such file' : (cause as Error).message
    throw new DumpError('ERR_LOAD_UNREADABLE', `${path} cannot be read: ${why}`, { path, cause })
  }
}

function directoryFormat(path: string): string {
  try {
    statSync(join(path, 'toc.dat'))
    return 'directory'
  } catch (cause) {
    throw new DumpError(
      'ERR_LOAD_UNREADABLE',
      `${path} is a directory without a dump: it has no toc.dat`,
      { path, cause },
    )
  }
}
