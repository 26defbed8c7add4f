import type { ByteSource } from './codec/byte-reader.ts'
import { LtxDecoder, type LtxSummary } from './decoder.ts'

/** Reads and verifies a whole LTX file, and returns its summary. Throws an {@link LtxError} if the file is not valid. */
export async function verifyLtx(source: ByteSource): Promise<LtxSummary> {
  await using decoder = await LtxDecoder.open(source)
  return await decoder.finish()
}
