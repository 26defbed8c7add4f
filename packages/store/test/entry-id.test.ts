import { describe, expect, test } from 'vitest'
import { EntryId } from '../src/index.ts'

describe('an id of an entry', () => {
  test('is 32 lower-case hexadecimal digits, which parse to the same id', () => {
    const { text } = EntryId.create()
    expect(text).toMatch(/^[0-9a-f]{32}$/)
    expect(EntryId.parse(text)?.text).toBe(text)
    expect(JSON.stringify({ id: EntryId.parse(text) })).toBe(`{"id":"${text}"}`)
  })

  test('begins with the time of its creation in nanoseconds, big-endian', () => {
    const before = Date.now()
    const id = EntryId.create()
    expect(id.createdAt.getTime()).toBeGreaterThanOrEqual(before)
    expect(id.createdAt.getTime()).toBeLessThanOrEqual(Date.now())
    expect(Buffer.from(id.text, 'hex').readBigUInt64BE(0)).toBe(id.nanoseconds)
  })

  test('sorts as text in the order of creation', () => {
    const texts = Array.from({ length: 1000 }, () => EntryId.create().text)
    expect(texts.toSorted()).toEqual(texts)
    expect(new Set(texts).size).toBe(1000)
  })

  test('is matched only by its random half', () => {
    const id = EntryId.parse('00112233445566778899aabbccddeeff')!
    expect(id.short).toBe('8899aabb')
    expect(id.matches('8899aabb')).toBe(true)
    expect(id.matches('8899aabbccddeeff')).toBe(true)
    expect(id.matches('00112233')).toBe(false)
  })

  test.each(['', '0'.repeat(31), '0'.repeat(33), 'A'.repeat(32), `${'0'.repeat(31)}g`, 'lock'])(
    'is not %j',
    (text) => {
      expect(EntryId.parse(text)).toBeNull()
    },
  )
})
