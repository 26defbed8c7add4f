// @vitest-environment-options { "alone": "windows/holder" }
import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { afterEach, expect, it, vi } from 'vitest'
import { acquire, type Contention } from '../../src/index.ts'

/** How many more times the kernel's table of locks is read without the lock. */
let misses = 0

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>()
  const readFileSync = (...[path, options]: Parameters<typeof real.readFileSync>) => {
    const found = real.readFileSync(path, options)
    return path === '/proc/locks' && misses-- > 0 ? '' : found
  }
  return { ...real, readFileSync }
})

afterEach(() => {
  misses = 0
})

it(
  'the holder is named although the table of the kernel lacks it at the first look',
  linuxOnly('/proc/locks'),
  async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using _ = await acquire(path)
    const waits: Contention[] = []
    misses = 1
    const waiting = acquire(path, {
      timeout: 10,
      onWait(wait) {
        waits.push(wait)
        misses = 1
      },
    })
    await expect(waiting).rejects.toMatchObject({ holder: { pid: process.pid } })
    expect(waits).toMatchObject([{ holders: [{ pid: process.pid }] }])
  },
)
