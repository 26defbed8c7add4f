import { formatLtxFileName, LtxDecoder, type ByteSource, type LtxHeader } from '@howdah/ltx'
import { inFile } from '../damage.ts'
import { ReplicaError } from '../errors.ts'
import type { NewFile, Storage } from '../storage.ts'
import { furthestTime, headerTime } from './header-time.ts'
import type { LtxFileInfo } from './ltx-file-info.ts'
import type { LtxPlace } from './read-ltx.ts'

/** Writes a whole LTX file or nothing, and verifies all of it meanwhile. See `Replica.writeLtxFile`. */
export async function writeLtx(
  storage: Storage,
  place: LtxPlace,
  source: ByteSource,
): Promise<LtxFileInfo> {
  const { level, minTxid, maxTxid, path } = place
  let createdAt = new Date(0)
  await using file = await storage.create(path, () => createdAt)
  try {
    await using decoder = await LtxDecoder.open(copied(source, file))
    checkHeader(decoder.header, place)
    createdAt = headerTime(decoder.header)
    const { bytes } = await decoder.finish()
    await file.publish()
    return { level, minTxid, maxTxid, size: bytes, createdAt }
  } catch (error) {
    throw inFile(error, path)
  }
}

/** Yields each chunk of a source before writing it to the file, so that the header is checked before much is stored. */
async function* copied(source: ByteSource, file: NewFile): AsyncGenerator<Uint8Array> {
  const chunks = source instanceof Uint8Array ? [source] : source
  for await (const chunk of chunks) {
    yield chunk
    await file.append(chunk)
  }
}

function checkHeader(header: LtxHeader, { minTxid, maxTxid, path }: LtxPlace): void {
  if (header.minTxid !== minTxid || header.maxTxid !== maxTxid) {
    const actual = formatLtxFileName(header.minTxid, header.maxTxid)
    throw new ReplicaError(
      'ERR_REPLICA_MISMATCH',
      `${path} cannot be written: the header of the given file names ${actual}; write it under that name`,
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
