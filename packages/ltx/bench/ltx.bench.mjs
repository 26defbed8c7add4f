// Throughput of LTX files in memory, beside the bare LZ4 library: `pnpm --filter @howdah/ltx bench`.
import { createRequire } from 'node:module'
import { compactLtx, crc64, encodeLtx, pageChecksum, verifyLtx } from '@howdah/ltx'
import { pageData, pageSize } from './support/page-data.mjs'

const lz4 = createRequire(import.meta.url)('lz4-napi')
const pages = Number(process.env.HOWDAH_BENCH_PAGES ?? 8_192)
const rounds = 5

const content = Array.from({ length: pages }, (_, index) => ({
  number: index + 1,
  data: pageData(index + 1),
}))
const blocks = content.map(({ data }) => lz4.compressSync(data))
const header = { pageSize, commit: pages, minTxid: 1n, maxTxid: 1n, timestamp: 0n }

async function gather(chunks) {
  const all = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

const block = await gather(encodeLtx(header, content))
const frame = await gather(encodeLtx(header, content, { encoding: 'frame' }))
const tracked = await gather(encodeLtx({ ...header, noChecksum: false }, content))
const whole = Buffer.concat(content.map(({ data }) => data))
const increment = await gather(
  encodeLtx(
    { ...header, minTxid: 2n, maxTxid: 2n },
    content.filter(({ number }) => number % 2 === 0),
  ),
)

const cases = [
  ['LZ4 library: compress pages', () => content.forEach(({ data }) => lz4.compressSync(data))],
  ['LZ4 library: decompress pages', () => blocks.forEach((one) => lz4.uncompressSync(one))],
  ['CRC-64 of the whole', () => crc64(whole)],
  ['CRC-64 in JavaScript, for comparison', javaScriptCrc(whole)],
  ['page checksums', () => content.forEach(({ number, data }) => pageChecksum(number, data))],
  ['encode, as LZ4 blocks', () => gather(encodeLtx(header, content))],
  ['encode, as LZ4 frames', () => gather(encodeLtx(header, content, { encoding: 'frame' }))],
  ['encode, with checksums', () => gather(encodeLtx({ ...header, noChecksum: false }, content))],
  ['decode, LZ4 blocks', () => verifyLtx(block)],
  ['decode, LZ4 frames', () => verifyLtx(frame)],
  ['decode, with checksums', () => verifyLtx(tracked)],
  ['compact a snapshot and half as much', () => gather(compactLtx([block, increment]))],
]

console.log(
  `${pages} pages of ${pageSize} bytes; LTX ${(block.length / whole.length).toFixed(2)} of that; best of ${rounds}`,
)
for (const [name, run] of cases) {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    await run()
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${name.padEnd(40)} ${(whole.length / best / 1000).toFixed(0).padStart(6)} MB/s`)
}

/** The same CRC with pairs of 32-bit halves, eight bytes at a time. */
function javaScriptCrc(data) {
  const low = new Int32Array(2048)
  const high = new Int32Array(2048)
  for (let byte = 0; byte < 256; byte++) {
    let [l, h] = [byte, 0]
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1
      l = (l >>> 1) | (h << 31)
      h = (h >>> 1) ^ (odd ? 0xd8000000 : 0)
    }
    low[byte] = l
    high[byte] = h
  }
  for (let at = 256; at < 2048; at++) {
    const [l, h] = [low[at - 256], high[at - 256]]
    low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 255]
    high[at] = (h >>> 8) ^ high[l & 255]
  }
  return () => {
    let [l, h] = [-1, -1]
    for (let at = 0; at < data.length; at += 8) {
      l ^= data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24)
      h ^= data[at + 4] | (data[at + 5] << 8) | (data[at + 6] << 16) | (data[at + 7] << 24)
      const [a, b, c, d] = [
        1792 + (l & 255),
        1536 + ((l >>> 8) & 255),
        1280 + ((l >>> 16) & 255),
        1024 + (l >>> 24),
      ]
      const [e, f, g, i] = [
        768 + (h & 255),
        512 + ((h >>> 8) & 255),
        256 + ((h >>> 16) & 255),
        h >>> 24,
      ]
      l = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[i]
      h = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[i]
    }
    const sum = (BigInt(~h >>> 0) << 32n) | BigInt(~l >>> 0)
    if (sum !== crc64(data)) throw new Error('the two differ')
  }
}
