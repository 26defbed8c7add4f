import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  compactLtx,
  decompressLz4Frame,
  encodeLtx,
  formatChecksum,
  formatTxid,
  pageChecksum,
  type LtxHeader,
} from '../src/index.ts'
import { pageData } from './support/page-data.ts'
import { gather, read, refusal, type WholeFile } from './support/read.ts'
import { manifest, orSkipped, readVector, vectorsAreHere } from './support/vectors.ts'

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** A header in the manifest's terms. */
const described = (header: LtxHeader): Record<string, string | number> => ({
  commit: header.commit,
  flags: header.noChecksum ? 2 : 0,
  maxTXID: formatTxid(header.maxTxid),
  minTXID: formatTxid(header.minTxid),
  nodeID: formatTxid(header.nodeId),
  pageSize: header.pageSize,
  preApplyChecksum: formatChecksum(header.preApplyChecksum),
  timestamp: `${header.timestamp}`,
  walOffset: `${header.walOffset}`,
  walSalt1: header.walSalt1,
  walSalt2: header.walSalt2,
  walSize: `${header.walSize}`,
})

const contentOf = (file: WholeFile): string[] =>
  file.content.map(({ number, data }) => `${number} ${sha256(data)}`)

describe.skipIf(!vectorsAreHere)(`the reference implementation's files${orSkipped}`, () => {
  it('are there', () => {
    expect(manifest.ltx.length).toBeGreaterThan(25)
  })

  it.for(manifest.ltx)('decode to what their manifest says: $name', async (vector) => {
    const bytes = readVector(vector.file)
    const file = await read(bytes)
    expect(described(file.header)).toEqual(vector.header)
    expect(
      file.content.map(({ number, data, offset, size }) => ({
        pgno: number,
        sha256: sha256(data),
        offset,
        size,
      })),
    ).toEqual(
      (vector.pages ?? []).map(({ pgno, sha256: hash, offset, size }) => ({
        pgno,
        sha256: hash,
        offset,
        size,
      })),
    )
    expect(formatChecksum(file.trailer.fileChecksum)).toBe(vector.trailer.fileChecksum)
    expect(formatChecksum(file.trailer.postApplyChecksum)).toBe(vector.trailer.postApplyChecksum)
    expect(file.bytes).toBe(vector.len)
  })

  it.for(manifest.ltx)('decode again when we write them: $name', async (vector) => {
    const original = await read(readVector(vector.file))
    for (const encoding of ['block', 'frame'] as const) {
      const bytes = await gather(
        encodeLtx(original.header, original.content, {
          encoding,
          postApplyChecksum: original.trailer.postApplyChecksum,
        }),
      )
      const ours = await read(bytes)
      expect(ours.header).toEqual(original.header)
      expect(contentOf(ours)).toEqual(contentOf(original))
      expect(ours.content.every((page) => page.encoding === encoding)).toBe(true)
      expect(ours.trailer.postApplyChecksum).toBe(original.trailer.postApplyChecksum)
    }
  })

  it.for(manifest.ltx.filter((vector) => vector.compactedFrom !== undefined))(
    'compact to the file that it made of them, byte for byte: $name',
    async (vector) => {
      const inputs = (vector.compactedFrom ?? []).map((name) => readVector(`${name}.ltx`))
      expect((await gather(compactLtx(inputs))).equals(readVector(vector.file))).toBe(true)
    },
  )

  it.for([512, 4096, 65_536])(
    'decode if pages are LZ4 frames, and are refused if they are of version 2: %i',
    async (pageSize) => {
      const file = await read(readVector(`legacy-v3frame-${pageSize}.ltx`))
      expect(file.header).toMatchObject({ pageSize, commit: 3 })
      expect(file.content.map((page) => page.encoding)).toEqual(['frame', 'frame', 'frame'])
      expect(file.content[0]?.data.equals(Buffer.alloc(pageSize, 0x32))).toBe(true)
      const older = read(readVector(`legacy-v2-${pageSize}.ltx`))
      expect(await refusal(older)).toEqual({ code: 'ERR_LTX_VERSION', offset: 100 })
    },
  )

  it.for(manifest.lz4frames)('are LZ4 frames that decompress: $file', async (frame) => {
    const content = await gather(decompressLz4Frame(readVector(frame.file)))
    expect(content.length).toBe(frame.contentLen)
    expect(sha256(content)).toBe(frame.contentSha256)
  })

  it('have the page checksums that we compute', () => {
    for (const { pgno, data, size, checksum } of manifest.pageChecksums) {
      expect(formatChecksum(pageChecksum(pgno, pageData(data, size)))).toBe(checksum)
    }
  })
})
