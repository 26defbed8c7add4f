import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { formatLtxFileName, LtxDecoder, type ByteSource, type LtxHeader } from '@howdah/ltx'
import { inFile } from './damage.ts'
import { makeDirectory, syncDirectory } from './durable-directory.ts'
import { io, ReplicaError } from './errors.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'
import type { Modes } from './modes.ts'
import { TemporaryFile } from './temporary-file.ts'

/** The largest time that a `Date` holds, in ms, both ways from 1970. */
const furthestTime = 8_640_000_000_000_000n

/** Writes an LTX file whole or not at all, and verifies all of it on the way. See `FileReplica.writeLtxFile`. */
export async function writeLtx(
  path: string,
  key: LtxFileKey,
  source: ByteSource,
  modes: Modes,
): Promise<LtxFileInfo> {
  await makeDirectory(dirname(path), modes.directoryMode)
  await using file = await TemporaryFile.create(path, modes.fileMode)
  try {
    await using decoder = await LtxDecoder.open(copied(source, file))
    checkHeader(decoder.header, key, path)
    const { bytes } = await decoder.finish()
    const timestamp = Number(decoder.header.timestamp)
    await io('set the time of', file.path, () =>
      file.handle.utimes(new Date(), fileTime(timestamp)),
    )
    await file.finish()
    await io('publish', path, () => rename(file.path, path))
    await syncDirectory(dirname(path))
    const { level, minTxid, maxTxid } = key
    return { level, minTxid, maxTxid, size: bytes, createdAt: new Date(timestamp) }
  } catch (error) {
    throw inFile(error, path)
  }
}

/** Passes a source on while it is written to a file. */
async function* copied(source: ByteSource, file: TemporaryFile): AsyncGenerator<Uint8Array> {
  const chunks = source instanceof Uint8Array ? [source] : source
  for await (const chunk of chunks) {
    await file.append(chunk)
    yield chunk
  }
}

function checkHeader(header: LtxHeader, key: LtxFileKey, path: string): void {
  if (header.minTxid !== key.minTxid || header.maxTxid !== key.maxTxid) {
    const actual = formatLtxFileName(header.minTxid, header.maxTxid)
    throw new ReplicaError(
      'ERR_REPLICA_MISMATCH',
      `${path} was to be written from a file that calls itself ${actual}; write it under that name`,
      { path },
    )
  }
  if (header.timestamp > furthestTime || header.timestamp < -furthestTime) {
    throw new ReplicaError(
      'ERR_REPLICA_MISMATCH',
      `${path} has the timestamp ${header.timestamp} ms, which no file can have`,
      { path },
    )
  }
}

/**
 * A time for utimes, in seconds: a microsecond later, so that rounding a double does not lose a millisecond.
 *
 * As text, because Node takes a negative number for the present.
 */
function fileTime(milliseconds: number): string {
  return `${(milliseconds * 1000 + 1) / 1e6}`
}
