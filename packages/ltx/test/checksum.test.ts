import { describe, expect, it } from 'vitest'
import {
  Crc64,
  crc64,
  DatabaseChecksum,
  lockPageNumber,
  pageChecksum,
  PageChecksums,
} from '../src/index.ts'
import { Xxh32, xxh32 } from '../src/checksum/xxh32.ts'
import { seededRandom, times } from '@howdah/fixtures'

/** CRC-64/GO-ISO as it is defined, bit by bit. */
function bitByBit(data: Uint8Array): bigint {
  let crc = 0xffff_ffff_ffff_ffffn
  for (const byte of data) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1n ? (crc >> 1n) ^ 0xd800_0000_0000_0000n : crc >> 1n
    }
  }
  return crc ^ 0xffff_ffff_ffff_ffffn
}

describe('CRC-64/GO-ISO', () => {
  it.for([
    ['', 0n],
    ['a', 0x3420_0000_0000_0000n],
    ['123456789', 0xb909_56c7_75a4_1001n],
  ] as const)('of "%s" is the known answer', ([text, answer]) => {
    expect(crc64(Buffer.from(text))).toBe(answer)
  })

  it(
    'is what its definition gives, for every length and however the data is split',
    { tags: 'property' },
    () => {
      const random = seededRandom(1)
      for (let length = 0; length < 100; length++) {
        const data = random.bytes(length)
        const expected = bitByBit(data)
        const at = random.below(length + 1)
        expect(crc64(data)).toBe(expected)
        expect(new Crc64().update(data.subarray(0, at)).update(data.subarray(at)).value).toBe(
          expected,
        )
      }
    },
  )

  it('takes data of any size at once, and several at a time', () => {
    const data = seededRandom(2).bytes(1_000_003)
    const [one, other] = [new Crc64(), new Crc64()]
    for (let at = 0; at < data.length; at += 9_999) {
      one.update(data.subarray(at, at + 9_999))
      other.update(Buffer.of(at & 0xff))
    }
    expect(one.value).toBe(crc64(data))
    expect(other.value).not.toBe(one.value)
  })
})

describe('a page checksum', () => {
  it.for([
    [1, Buffer.alloc(512), 0xefb1_f44f_ecd9_9000n],
    [1, Buffer.alloc(512, 1), 0xe4e4_aaa1_0237_7eeen],
    [2, Buffer.alloc(512, 2), 0xc9c9_5542_3104_4dddn],
    [262_144, Buffer.alloc(4096, 1), 0xf32c_1cd5_eebd_e40en],
  ] as const)('of page %i is the known answer', ([number, data, answer]) => {
    expect(pageChecksum(number, data)).toBe(answer)
  })
})

const page = (byte: number): Buffer => Buffer.alloc(1024, byte)

describe('a database checksum', () => {
  it('is the known answer for a snapshot, in whatever order', () => {
    const answer = 0xe189_9b6d_587a_aaaan
    expect(new DatabaseChecksum().add(1, page(0x32)).add(2, page(0x33)).value).toBe(answer)
    expect(new DatabaseChecksum().add(2, page(0x33)).add(1, page(0x32)).value).toBe(answer)
  })

  it('of an empty database is bit 63', () => {
    expect(new DatabaseChecksum().value).toBe(1n << 63n)
  })

  it('is kept up by taking a page out as it was and in as it is', () => {
    const before = new DatabaseChecksum().add(1, page(1)).add(2, page(2))
    const after = new DatabaseChecksum(before.value).remove(2, page(2)).add(2, page(3))
    expect(after.value).toBe(new DatabaseChecksum().add(1, page(1)).add(2, page(3)).value)
    expect(after.value).not.toBe(before.value)
  })

  it('leaves the lock page out', () => {
    const lockPage = lockPageNumber(1024)
    expect(lockPage).toBe(1_048_577)
    expect(new DatabaseChecksum().add(lockPage, page(1)).value).toBe(1n << 63n)
    expect(new DatabaseChecksum().add(lockPage + 1, page(1)).value).not.toBe(1n << 63n)
  })
})

describe('the checksums of pages', () => {
  it(
    'give the checksum of the database, whatever is written, overwritten or dropped',
    { tags: 'property' },
    () => {
      const random = seededRandom(8)
      for (let round = 0; round < times(50, 1_000); round++) {
        const pages: Buffer[] = []
        let checksums = new PageChecksums()
        for (let step = 0; step < 20; step++) {
          const number = 1 + random.below(2_000)
          if (random.below(4) === 0) {
            pages.length = Math.min(pages.length, number)
            checksums.truncate(number)
          } else {
            const data = page(random.below(256))
            pages[number - 1] = data
            checksums.set(number, data)
          }
          const expected = new DatabaseChecksum()
          for (const [index, data] of pages.entries()) if (data) expected.add(index + 1, data)
          expect(checksums.value).toBe(expected.value)
          let clone = checksums.clone()
          if (random.below(2) === 0) [clone, checksums] = [checksums, clone]
          clone.set(1, page(random.below(256)))
          expect(checksums.value).toBe(expected.value)
        }
      }
    },
  )

  it('leave the lock page out', () => {
    expect(new PageChecksums()).toHaveProperty('value', 1n << 63n)
    const checksums = new PageChecksums()
    checksums.set(lockPageNumber(1024), page(1))
    expect(checksums.value).toBe(1n << 63n)
  })
})

describe('xxHash32', () => {
  it.for([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ] as const)('of "%s" is the known answer', ([text, answer]) => {
    expect(xxh32(Buffer.from(text))).toBe(answer)
  })

  it('is the same however the data is split', { tags: 'property' }, () => {
    const random = seededRandom(3)
    for (let length = 0; length < 100; length++) {
      const data = random.bytes(length)
      const hash = new Xxh32()
      for (let at = 0; at < length;) {
        const size = 1 + random.below(20)
        hash.update(data.subarray(at, at + size))
        at += size
      }
      expect(hash.value).toBe(xxh32(data))
    }
  })
})
