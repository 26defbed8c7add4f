// Writes LTX files into a replica, as its arguments say, for the tests that need a process of its own.
import { FileReplica } from '@howdah/replica'
import { encodeLtx } from '@howdah/ltx'

const [way, root, ...rest] = process.argv.slice(2)
const replica = new FileReplica(root)

/** A file of transaction 1 whose every page is filled with a byte, and whose timestamp says which. */
function file(byte, pages) {
  const header = {
    pageSize: 4096,
    commit: pages,
    minTxid: 1n,
    maxTxid: 1n,
    timestamp: 1_700_000_000_000n + BigInt(byte),
  }
  return encodeLtx(header, content(byte, pages))
}

function* content(byte, pages) {
  for (let number = 1; number <= pages; number++) {
    const data = Buffer.alloc(4096, byte)
    // Not so compressible that the file is written at once.
    for (let at = 0; at < 2048; at++) data[at] = (number * at * 2_654_435_761) >>> 13
    data[0] = byte
    yield { number, data }
  }
}

const ways = {
  /** Writes the file again and again, with another byte each time, and says after each that it is there. */
  async repeat(first, pages, times) {
    for (let round = 0; round < Number(times); round++) {
      const byte = Number(first) + round
      await replica.writeLtxFile(0, 1n, 1n, file(byte, Number(pages)))
      process.stdout.write(`${byte}\n`)
    }
  },
  /** Tries to write the file, and says with which code that failed. */
  async once(pages) {
    try {
      await replica.writeLtxFile(0, 1n, 1n, file(1, Number(pages)))
      console.log('written')
    } catch (error) {
      console.log(error.code)
    }
  },
  /** Writes a snapshot of so many pages, restores it, and says how much memory that took, in MiB, and how far it got. */
  async restore(pages, output) {
    await replica.writeLtxFile(0, 1n, 1n, file(1, Number(pages)))
    let reports = 0
    const { bytes } = await replica.restore({
      output,
      integrityCheck: 'none',
      onProgress: () => reports++,
    })
    console.log(JSON.stringify({ bytes, reports, memory: process.resourceUsage().maxRSS / 1024 }))
  },
}

await ways[way](...rest)
