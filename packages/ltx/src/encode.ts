import { Chunks } from './codec/chunks.ts'
import { LtxEncoder, type LtxEncoderOptions } from './encoder.ts'
import type { LtxHeaderInit } from './codec/header.ts'
import type { PageContent } from './page.ts'

/** How an LTX file is to be written, and how it ends. */
export interface EncodeLtxOptions extends LtxEncoderOptions {
  /**
   * The database checksum after the file, if the header tracks checksums; a function is called after the last page.
   * A snapshot needs none.
   */
  readonly postApplyChecksum?: bigint | (() => bigint) | undefined
}

/**
 * An LTX file as a stream of chunks of about 64 KiB.
 *
 * The pages come in ascending order. Throws what {@link LtxEncoder} throws; errors of the pages' source are passed on.
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
