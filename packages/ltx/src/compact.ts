import type { ByteSource } from './codec/byte-reader.ts'
import { Chunks } from './codec/chunks.ts'
import { LtxDecoder } from './decoder.ts'
import { LtxEncoder, type LtxEncoderOptions } from './encoder.ts'
import { LtxError } from './errors.ts'
import { formatLtxFileName } from './file-name.ts'
import type { LtxHeader, LtxHeaderInit } from './codec/header.ts'
import type { LtxPage } from './page.ts'

/** How to merge LTX files. */
export interface CompactLtxOptions extends LtxEncoderOptions {
  /** Whether transactions may be missing between two files; `false` by default. */
  readonly allowGaps?: boolean | undefined
  /** Whether to leave database checksums out even if all inputs have them. */
  readonly noChecksum?: boolean | undefined
}

interface Input {
  readonly decoder: LtxDecoder
  page: LtxPage | null
}

/**
 * Merges LTX files that follow each other into one, as a stream of chunks of about 64 KiB.
 *
 * The last file's version of each page is kept, and pages beyond the final database size are dropped. The result has the
 * first transaction of the first file, and the last transaction and timestamp of the last file. It tracks checksums if all
 * inputs do. LZ4 blocks are copied unchanged. All inputs are read in parallel, with one page of each in memory. The end of
 * the result is given only after all inputs are verified to their ends.
 *
 * Throws `ERR_LTX_COMPACTION` if the files do not follow each other, and the errors of {@link LtxDecoder} and {@link
 * LtxEncoder}, for example `ERR_LTX_PAGE_ORDER` if the result would be a snapshot that lacks pages.
 */
export async function* compactLtx(
  sources: readonly ByteSource[],
  options: CompactLtxOptions = {},
): AsyncGenerator<Buffer, void, void> {
  const decoders: LtxDecoder[] = []
  try {
    for (const source of sources) decoders.push(await LtxDecoder.open(source))
    const header = mergeHeaders(
      decoders.map((decoder) => decoder.header),
      options,
    )
    const encoder = new LtxEncoder(header, { encoding: options.encoding })
    const chunks = new Chunks()
    chunks.add(encoder.start())
    for await (const page of mergePages(decoders)) {
      if (page.number > header.commit) continue
      const chunk = chunks.add(encoder.page(page, page.block))
      if (chunk !== null) yield chunk
    }
    const last = decoders.at(-1)?.trailer?.postApplyChecksum
    yield chunks.end(encoder.finish(encoder.header.noChecksum ? 0n : last))
  } finally {
    for (const decoder of decoders) await decoder.close()
  }
}

/** The pages of all files in ascending order, each in the last file's version. */
async function* mergePages(decoders: readonly LtxDecoder[]): AsyncGenerator<LtxPage, void, void> {
  const inputs: Input[] = []
  for (const decoder of decoders) inputs.push({ decoder, page: await decoder.nextPage() })
  for (;;) {
    let next: LtxPage | null = null
    for (const { page } of inputs) {
      if (page !== null && (next === null || page.number <= next.number)) next = page
    }
    if (next === null) return
    yield next
    for (const input of inputs) {
      if (input.page?.number === next.number) input.page = await input.decoder.nextPage()
    }
  }
}

function mergeHeaders(headers: readonly LtxHeader[], options: CompactLtxOptions): LtxHeaderInit {
  const [first] = headers
  const last = headers.at(-1)
  if (first === undefined || last === undefined) {
    throw new LtxError('ERR_LTX_COMPACTION', 'there is nothing to compact; give at least one file')
  }
  for (const [index, header] of headers.entries()) {
    const before = headers[index - 1]
    if (before !== undefined) checkSuccession(before, header, options.allowGaps ?? false)
  }
  const noChecksum = options.noChecksum === true || headers.some((header) => header.noChecksum)
  return {
    pageSize: first.pageSize,
    commit: last.commit,
    minTxid: first.minTxid,
    maxTxid: last.maxTxid,
    timestamp: last.timestamp,
    noChecksum,
    preApplyChecksum: noChecksum ? 0n : first.preApplyChecksum,
  }
}

function checkSuccession(before: LtxHeader, after: LtxHeader, allowGaps: boolean): void {
  const refuse = (why: string): LtxError =>
    new LtxError('ERR_LTX_COMPACTION', `${name(after)} does not follow ${name(before)}: ${why}`)
  if (after.pageSize !== before.pageSize) {
    throw refuse(`its pages have ${after.pageSize} bytes instead of ${before.pageSize}`)
  }
  if (after.maxTxid <= before.maxTxid) throw refuse('it ends no later')
  if (!allowGaps && after.minTxid > before.maxTxid + 1n) throw refuse('transactions are missing')
}

function name(header: LtxHeader): string {
  return formatLtxFileName(header.minTxid, header.maxTxid)
}
