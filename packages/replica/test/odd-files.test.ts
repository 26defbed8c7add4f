import { oddFiles, plantOddFile, temporaryDirectory } from '@howdah/fixtures'
import { encodeLtx } from '@howdah/ltx'
import { expect, it } from 'vitest'
import { FileReplica } from '../src/index.ts'
import { gather } from './support/files.ts'

it.each(oddFiles)(
  '%s in the place of an LTX file is refused by its path, and never waited for',
  async (kind) => {
    using home = temporaryDirectory()
    const replica = new FileReplica(home.file('replica'))
    const header = { pageSize: 4096, commit: 1, minTxid: 1n, maxTxid: 1n, timestamp: 1n }
    const ltx = await gather(encodeLtx(header, [{ number: 1, data: Buffer.alloc(4096) }]))
    await replica.writeLtxFile(0, 1n, 1n, [ltx])
    const path = replica.ltxFilePath(0, 1n, 1n)
    plantOddFile(kind, path)
    // A terabyte can be opened, and is not an LTX file by its first bytes.
    const refusal = await refusalOf(async () => {
      const stream = await replica.openLtxFile(0, 1n, 1n)
      stream.destroy()
      for await (const { problem } of replica.verify()) if (problem) throw problem
    })
    expect(refusal).toMatchObject({ path, message: expect.stringContaining(path) })
  },
)

async function refusalOf(act: () => Promise<void>): Promise<unknown> {
  return await act().then(
    () => null,
    (error: unknown) => error,
  )
}
