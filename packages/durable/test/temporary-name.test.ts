import { describe, expect, it } from 'vitest'
import { isTemporaryName, temporaryName } from '../src/index.ts'

describe('a temporary name', () => {
  it('is in the same directory, hidden, and another one each time', () => {
    const name = temporaryName('/some/where/file.json')
    expect(name).toMatch(/^\/some\/where\/\.file\.json\.[0-9a-f]{16}\.tmp$/)
    expect(temporaryName('/some/where/file.json')).not.toBe(name)
  })

  it.each(['a', 'x'.repeat(255), 'ü'.repeat(127), '🐘'.repeat(63), 'a\nb'])(
    'is no longer than a name may be, and is recognized: %j',
    (name) => {
      const temporary = temporaryName(name)
      expect(Buffer.byteLength(temporary)).toBeLessThanOrEqual(255)
      expect(isTemporaryName(temporary)).toBe(true)
      expect(isTemporaryName(temporary, name)).toBe(true)
      expect(isTemporaryName(temporary, 'another')).toBe(false)
    },
  )

  it.each([
    'file',
    'file.tmp',
    '.file.tmp',
    '.file.0123456789abcde.tmp',
    '.file.0123456789ABCDEF.tmp',
  ])('is not %s, which is a user’s own', (name) => expect(isTemporaryName(name)).toBe(false))
})
