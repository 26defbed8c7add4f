import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { openPlainFile, openPlainFileSync, readPlainFile } from '../src/index.ts'

const notPlain = { code: 'ERR_LOCK_NOT_PLAIN' }

describe('a file that another user may have made', () => {
  it('is read whole', () => {
    using home = temporaryDirectory()
    for (const text of ['', 'one', 'ü'.repeat(500_000)]) {
      writeFileSync(home.file('it'), text)
      expect(readPlainFile(home.file('it'))).toBe(text)
    }
  })

  it('is never waited for, whatever it is: opening a FIFO would block for ever', async () => {
    using home = temporaryDirectory()
    execFileSync('mkfifo', [home.file('fifo')])
    mkdirSync(home.file('directory'))
    symlinkSync(home.file('fifo'), home.file('link'))
    const server = createServer().listen(home.file('socket'))
    await once(server, 'listening')
    try {
      const odd = ['fifo', 'directory', 'link', 'socket'].map((name) => home.file(name))
      for (const path of [...odd, '/dev/zero']) {
        expect(() => readPlainFile(path)).toThrow(expect.objectContaining(notPlain))
        expect(() => openPlainFileSync(path)).toThrow(expect.objectContaining(notPlain))
        await expect(openPlainFile(path)).rejects.toMatchObject(notPlain)
      }
    } finally {
      server.close()
    }
  })

  it('is not read beyond what it may hold, though it claims a terabyte', () => {
    using home = temporaryDirectory()
    writeFileSync(home.file('huge'), 'x')
    truncateSync(home.file('huge'), 2 ** 40)
    expect(() => readPlainFile(home.file('huge'))).toThrow(/has more than 1048576 bytes/)
    truncateSync(home.file('huge'), 8)
    expect(readPlainFile(home.file('huge'), { limit: 8 })).toHaveLength(8)
    expect(() => readPlainFile(home.file('huge'), { limit: 7 })).toThrow(/has more than 7 bytes/)
  })

  it('is not followed where links are not wanted', () => {
    using home = temporaryDirectory()
    writeFileSync(home.file('it'), 'text')
    symlinkSync('it', home.file('link'))
    expect(readPlainFile(home.file('link'))).toBe('text')
    expect(() => readPlainFile(home.file('link'), { follow: false })).toThrow(/ELOOP/)
  })

  it('that is missing is the error of the system', () => {
    using home = temporaryDirectory()
    expect(() => readPlainFile(home.file('it'))).toThrow(/ENOENT/)
  })
})
