import type { DatabaseWriter } from '../restore/database-writer.ts'
import type { Progress } from '../restore/progress.ts'
import type { Restored } from '../restore/restored.ts'
import type { Storage } from '../storage.ts'
import { headerTime } from './header-time.ts'
import type { LtxPlan } from './ltx-files.ts'
import { LtxReplay } from './ltx-replay.ts'
import { readLtx } from './read-ltx.ts'

/** Writes the files of a plan into a database, and verifies each of them to its end. */
export async function restoreLtx(
  storage: Storage,
  plan: LtxPlan,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  progress.total(plan.files.length, plan.bytes)
  const replay = LtxReplay.start(plan.headers.some(({ noChecksum }) => !noChecksum))
  for (const file of plan.files) {
    progress.begin(file.path)
    let pageSize = 0
    const { header, trailer } = await readLtx(storage, file, {
      header: (one) => {
        replay.begin(one, file)
        ;({ pageSize } = one)
      },
      page: async (number, data) => {
        replay.page(number, data)
        await writer.write(data, (number - 1) * pageSize)
      },
      read: (bytes) => progress.read(bytes),
    })
    replay.end(header, trailer, file)
    await writer.truncate(header.commit * header.pageSize)
    progress.end()
  }
  const last = plan.headers.at(-1)
  return {
    from: { format: 'ltx', txid: plan.txid },
    timestamp: last === undefined ? new Date(0) : headerTime(last),
    pageSize: last?.pageSize ?? 0,
    pages: last?.commit ?? 0,
    files: plan.files.length,
  }
}
