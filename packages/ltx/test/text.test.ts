import { describe, expect, it } from 'vitest'
import {
  formatChecksum,
  formatLtxFileName,
  formatPosition,
  formatTxid,
  isSnapshot,
  parseChecksum,
  parseLtxFileName,
  parsePosition,
  parseTxid,
} from '../src/index.ts'

const option = expect.objectContaining({ code: 'ERR_LTX_OPTION' })

describe('a transaction id or a checksum as text', () => {
  it.for([
    [1n, '0000000000000001'],
    [0xb909_56c7_75a4_1001n, 'b90956c775a41001'],
    [0xffff_ffff_ffff_ffffn, 'ffffffffffffffff'],
  ] as const)('is exactly 16 lower-case hex digits: %s', ([value, text]) => {
    expect(formatTxid(value)).toBe(text)
    expect(parseTxid(text)).toBe(value)
    expect(formatChecksum(value)).toBe(text)
    expect(parseChecksum(text)).toBe(value)
  })

  it.for([
    '',
    '1',
    '000000000000000A',
    '00000000000000001',
    ' 000000000000001',
    '0x00000000000001',
  ])('is nothing else: "%s"', (text) => {
    expect(() => parseTxid(text)).toThrow(option)
    expect(() => parseChecksum(text)).toThrow(option)
  })

  it('has 64 bits', () => {
    expect(() => formatTxid(1n << 64n)).toThrow(option)
    expect(() => formatChecksum(-1n)).toThrow(option)
    expect(formatTxid(0n)).toBe('0000000000000000')
  })
})

describe('a position as text', () => {
  const text = '000000000000000c/b90956c775a41001'

  it('is the transaction id and the checksum', () => {
    const position = { txid: 12n, checksum: 0xb909_56c7_75a4_1001n }
    expect(formatPosition(position)).toBe(text)
    expect(parsePosition(text)).toEqual(position)
  })

  it.for(['', '000000000000000c', `${text}/`, text.replace('/', '-')])(
    'is nothing else: "%s"',
    (bad) => {
      expect(() => parsePosition(bad)).toThrow(option)
      expect(() => parsePosition(bad)).toThrow('is not a position')
    },
  )
})

describe("a file's name", () => {
  it('is the first and the last transaction', () => {
    const name = '0000000000000002-00000000000000ff.ltx'
    expect(formatLtxFileName(2n, 255n)).toBe(name)
    expect(parseLtxFileName(name)).toEqual({ minTxid: 2n, maxTxid: 255n })
  })

  it.for([
    '',
    '2-3.ltx',
    '0000000000000002-00000000000000FF.ltx',
    '0000000000000002-00000000000000ff.ltx.tmp',
    '.0000000000000002-00000000000000ff.ltx',
  ])('is nothing else: "%s"', (name) => {
    expect(parseLtxFileName(name)).toBeNull()
  })
})

describe('a snapshot', () => {
  it('starts with transaction 1', () => {
    expect(isSnapshot({ minTxid: 1n })).toBe(true)
    expect(isSnapshot({ minTxid: 2n })).toBe(false)
  })
})
