import { Chunks } from './codec/chunks.ts'
import { LtxEncoder, type LtxEncoderOptions } from './encoder.ts'
import type { LtxHeaderInit } from './codec/header.ts'
import type { PageContent } from './page.ts'

/** How to write an LTX file, and its final checksum. */
export interface EncodeLtxOptions extends LtxEncoderOptions {
  /**
   * The database checksum after the file is applied, if the header tracks checksums. A function is called after the last
   * page. A snapshot does not need it.
   */
  readonly postApplyChecksum?: bigint | (() => bigint) | undefined
}

/**
 * Writes an LTX file as a stream of chunks of about 64 KiB.
 *
 * The pages must come in ascending order. Throws the errors of {@link LtxEncoder}; errors of the pages' source are passed on.
 *
 * @example
 * const header = { pageSize: 4096, commit: 1, minTxid: 1n, maxTxid: 1n, timestamp: BigInt(Date.now()) }
 * await pipeline(encodeLtx(header, [{ number: 1, data }]), createWriteStream(path))
 */
export async function* encodeLtx(
  header: LtxHeaderInit,
  pages: AsyncIterable<PageContent> | Iterable<PageContent>,
  options: EncodeLtxOptions = {},
): AsyncGenerator<Buffer, void, void> {
  const encoder = new LtxEncoder(header, options)
  const chunks = new Chunks()
  chunks.add(encoder.start())
  for await (const page of pages) {
    const chunk = chunks.add(encoder.page(page))
    if (chunk !== null) yield chunk
  }
  const { postApplyChecksum } = options
  const checksum = typeof postApplyChecksum === 'function' ? postApplyChecksum() : postApplyChecksum
  yield chunks.end(encoder.finish(checksum))
}
