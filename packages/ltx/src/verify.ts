import type { ByteSource } from './codec/byte-reader.ts'
import { LtxDecoder, type LtxSummary } from './decoder.ts'

/** Reads an LTX file from front to back, and returns what it is. Throws an {@link LtxError} if it is not sound. */
export async function verifyLtx(source: ByteSource): Promise<LtxSummary> {
  await using decoder = await LtxDecoder.open(source)
  return await decoder.finish()
}
