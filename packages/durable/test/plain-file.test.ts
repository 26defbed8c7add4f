import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { linuxOnly, oddFiles, plantOddFile, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { openPlainFile, openPlainFileSync, readPlainBytes, readPlainFile } from '../src/index.ts'

const refused = { code: expect.stringMatching(/^(ERR_DURABLE_NOT_PLAIN|ELOOP|ENXIO)$/) }

describe('a file that another user may have made', () => {
  it('is read whole', async () => {
    using home = temporaryDirectory()
    for (const text of ['', 'one', 'ü'.repeat(500_000)]) {
      writeFileSync(home.file('it'), text)
      expect(readPlainFile(home.file('it'))).toBe(text)
      expect((await readPlainBytes(home.file('it'))).toString()).toBe(text)
    }
  })

  it(
    'is read whole if its size is unknown',
    linuxOnly('/proc, whose files have no known size'),
    async () => {
      const path = '/proc/self/limits'
      const text = readFileSync(path, 'utf8')
      expect(text.length).toBeGreaterThan(100)
      expect(readPlainFile(path)).toBe(text)
      expect((await readPlainBytes(path)).toString()).toBe(text)
      expect(() => readPlainFile(path, { limit: 99 })).toThrow(/has more than 99 bytes/)
      await expect(readPlainBytes(path, { limit: 99 })).rejects.toThrow(/has more than 99 bytes/)
    },
  )

  it.each(oddFiles)('is never waited for if it is %s: opening a FIFO would block', async (kind) => {
    using home = temporaryDirectory()
    const path = home.file('it')
    plantOddFile(kind, path)
    for (const follow of [true, false]) {
      expect(() => readPlainFile(path, { follow })).toThrow(expect.objectContaining(refused))
      await expect(readPlainBytes(path, { follow })).rejects.toMatchObject(refused)
      if (kind === 'a terabyte') continue
      expect(() => openPlainFileSync(path, { follow })).toThrow(expect.objectContaining(refused))
      await expect(openPlainFile(path, { follow })).rejects.toMatchObject(refused)
    }
  })

  it('is not read beyond the limit, though its size is a terabyte', () => {
    using home = temporaryDirectory()
    writeFileSync(home.file('huge'), 'x')
    truncateSync(home.file('huge'), 2 ** 40)
    expect(() => readPlainFile(home.file('huge'))).toThrow(/has more than 1048576 bytes/)
    truncateSync(home.file('huge'), 8)
    expect(readPlainFile(home.file('huge'), { limit: 8 })).toHaveLength(8)
    expect(() => readPlainFile(home.file('huge'), { limit: 7 })).toThrow(/has more than 7 bytes/)
  })

  it('is not followed if links are not wanted', () => {
    using home = temporaryDirectory()
    writeFileSync(home.file('it'), 'text')
    symlinkSync('it', home.file('link'))
    expect(readPlainFile(home.file('link'))).toBe('text')
    expect(() => readPlainFile(home.file('link'), { follow: false })).toThrow(/ELOOP/)
  })

  it('that is missing fails with the error of the system', () => {
    using home = temporaryDirectory()
    expect(() => readPlainFile(home.file('it'))).toThrow(/ENOENT/)
  })
})
