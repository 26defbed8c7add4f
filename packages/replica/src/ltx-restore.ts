import { formatLtxFileName, LtxDecoder, type LtxHeader } from '@howdah/ltx'
import { inFile } from './damage.ts'
import type { DatabaseWriter } from './database-writer.ts'
import { ReplicaError } from './errors.ts'
import type { Layout } from './layout.ts'
import type { LtxFileInfo } from './ltx-file-info.ts'
import { openRange } from './open-range.ts'
import type { Progress } from './progress.ts'
import type { RestorePlan } from './restore-plan.ts'
import type { Restored } from './restored.ts'

/** Writes the files of a plan into a database, each verified to its end. */
export async function restoreLtx(
  layout: Layout,
  plan: RestorePlan,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  progress.total(plan.files.length, plan.bytes)
  let last: LtxHeader | null = null
  for (const info of plan.files) last = await applyLtx(layout, info, last, writer, progress)
  return {
    from: { format: 'ltx', txid: plan.txid },
    timestamp: new Date(Number(last?.timestamp)),
    pageSize: last?.pageSize ?? 0,
    pages: last?.commit ?? 0,
    files: plan.files.length,
  }
}

async function applyLtx(
  layout: Layout,
  info: LtxFileInfo,
  before: LtxHeader | null,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<LtxHeader> {
  const path = layout.ltxFile(info.level, info.minTxid, info.maxTxid)
  const stream = await openRange(path, 0, 0)
  progress.begin(path)
  try {
    await using decoder = await LtxDecoder.open(stream as AsyncIterable<Uint8Array>)
    const { header } = decoder
    checkHeader(header, info, before, path)
    let read = 0
    for (;;) {
      const page = await decoder.nextPage()
      progress.read(decoder.offset - read)
      read = decoder.offset
      if (page === null) break
      await writer.write(page.data, (page.number - 1) * header.pageSize)
    }
    await writer.truncate(header.commit * header.pageSize)
    progress.end()
    return header
  } catch (error) {
    throw inFile(error, path)
  } finally {
    stream.destroy()
  }
}

/** Throws `ERR_REPLICA_MISMATCH` where a file is not the one that its name says, or of another database. */
export function checkHeader(
  header: LtxHeader,
  info: Pick<LtxFileInfo, 'minTxid' | 'maxTxid'>,
  before: LtxHeader | null,
  path: string,
): void {
  if (header.minTxid !== info.minTxid || header.maxTxid !== info.maxTxid) {
    const actual = formatLtxFileName(header.minTxid, header.maxTxid)
    throw new ReplicaError('ERR_REPLICA_MISMATCH', `${path} is really ${actual}; rename it`, {
      path,
    })
  }
  if (before !== null && before.pageSize !== header.pageSize) {
    throw new ReplicaError(
      'ERR_REPLICA_MISMATCH',
      `${path} has pages of ${header.pageSize} bytes, and those before have ${before.pageSize}`,
      { path },
    )
  }
}
