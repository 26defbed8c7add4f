import { Random } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { WalReader, type WalFrame } from '../../src/generation/wal-reader.ts'
import { ReplicaError } from '../../src/index.ts'
import { walOf, type Frame } from '../support/old-files.ts'

const random = new Random(31)
const frames: Frame[] = [
  { page: 1, data: random.bytes(512), commit: 0 },
  { page: 7, data: random.bytes(512), commit: 9 },
  { page: 0x0102_0304, data: random.bytes(512), commit: 0x0506_0708 },
]

/** What a WAL gives that comes in these chunks. */
function readAll(chunks: Iterable<Buffer>): WalFrame[] {
  const reader = new WalReader()
  const read: WalFrame[] = []
  for (const chunk of chunks) for (const frame of reader.push(chunk, 'a.wal')) read.push(frame)
  reader.endSegment('a.wal')
  return read
}

/** The message of the refusal of a WAL as damaged; `null` if it is taken. */
function refusalOf(bytes: Buffer): string | null {
  try {
    readAll([bytes])
    return null
  } catch (error) {
    const isDamage = error instanceof ReplicaError && error.code === 'ERR_REPLICA_DAMAGED'
    if (!isDamage || error.path !== 'a.wal') throw error
    return error.message
  }
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe.each(['LE', 'BE'] as const)('a WAL of a machine that is %s', (order) => {
  const { bytes, ends } = walOf(frames, 512, order)

  it.each([1, 24, 31, 32, 33, 511, 536, 10_000])(
    'gives its frames, however it is cut: in pieces of %i bytes',
    (size) => {
      const read = readAll(pieces(bytes, size))
      expect(read.map(({ page, commit, end }) => ({ page, commit, end }))).toEqual(
        frames.map(({ page, commit }, index) => ({ page, commit, end: ends[index] })),
      )
      expect(read.map(({ data }) => data.toString('hex'))).toEqual(
        frames.map(({ data }) => data.toString('hex')),
      )
    },
  )

  it('is damaged if any bit of it changes', () => {
    for (let bit = 0; bit < bytes.length * 8; bit += bit < 96 * 8 ? 1 : 97) {
      const damaged = Buffer.from(bytes)
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect([bit, refusalOf(damaged)]).toEqual([bit, expect.any(String)])
    }
  })
})

describe('a WAL', () => {
  const { bytes, ends } = walOf(frames)
  const first = ends[0] ?? 0

  it('may end after its header or a frame, and nowhere else', () => {
    const whole = new Set([0, 32, ...ends])
    for (let length = 0; length <= bytes.length; length++) {
      expect([length, refusalOf(bytes.subarray(0, length)) === null]).toEqual([
        length,
        whole.has(length),
      ])
    }
  })

  it('goes on in the next segment, and counts all its bytes', () => {
    const reader = new WalReader()
    expect(reader.size).toBe(0)
    expect([...reader.push(bytes.subarray(0, first), 'one')]).toHaveLength(1)
    reader.endSegment('one')
    expect(reader.size).toBe(first)
    expect([...reader.push(bytes.subarray(first, first + 5), 'two')]).toHaveLength(0)
    expect(reader.size).toBe(first + 5)
    expect([...reader.push(bytes.subarray(first + 5), 'two')]).toHaveLength(2)
    reader.endSegment('two')
    expect(reader.size).toBe(bytes.length)
  })

  it('names the segment and the place of a damaged frame', () => {
    const reader = new WalReader()
    expect([...reader.push(bytes.subarray(0, first), 'one')]).toHaveLength(1)
    const rest = Buffer.from(bytes.subarray(first)).fill(9, 30, 31)
    expect(() => [...reader.push(rest, 'two')]).toThrow(
      expect.objectContaining({
        path: 'two',
        message: expect.stringContaining(`two has a damaged frame at byte ${first}`),
      }),
    )
  })

  it.each([0, 1, 256, 511, 513, 1000, 65_535, 131_072])(
    'whose header says pages of %i bytes is damaged, though its checksum is right',
    (pageSize) => {
      expect(refusalOf(walOf([], pageSize).bytes)).toContain(`has the page size ${pageSize}`)
    },
  )

  it.each([512, 1024, 65_536])('may have pages of %i bytes', (pageSize) => {
    const data = random.bytes(pageSize)
    const read = readAll([walOf([{ page: 1, data, commit: 1 }], pageSize).bytes])
    expect(read.map((frame) => frame.data.equals(data))).toEqual([true])
  })

  it('has no page 0, though the checksum of the frame is right', () => {
    const zero = walOf([{ page: 0, data: random.bytes(512), commit: 1 }])
    expect(refusalOf(zero.bytes)).toContain('has a damaged frame at byte 32')
  })

  it('is followed by no frames of an older WAL: of other salts, though sums of their own are right', () => {
    const older = walOf(frames.slice(0, 1))
    const other = Buffer.from(bytes)
    // The salts of the second frame are no part of its checksum.
    other.writeUInt32BE(0x1234_5679, first + 8)
    expect(refusalOf(other)).toContain(`has a damaged frame at byte ${first}`)
    expect(refusalOf(Buffer.concat([bytes, older.bytes.subarray(32)]))).toContain(
      `has a damaged frame at byte ${bytes.length}`,
    )
  })
})
