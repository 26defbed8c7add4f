// @vitest-environment-options { "alone": "windows/refusal" }
import { readdirSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type * as LoadBinding from '../../src/binding/load-binding.ts'
import { acquire, acquireSync, tryAcquire } from '../../src/index.ts'
import { scripted, unscripted, type Scripted } from '../support/scripted-binding.ts'

const hand = vi.hoisted(() => ({}) as Scripted)

vi.mock('../../src/binding/load-binding.ts', async (original) => {
  const real = await original<typeof LoadBinding>()
  return { ...real, binding: (path: string) => scripted(real.binding(path), hand) }
})

beforeEach(({ skip }) => {
  skip(process.platform !== 'linux', 'only Linux tells what is open')
  Object.assign(hand, unscripted())
})

/** How many files below a directory this process has open. */
function openBelow(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
    } catch {
      return false
    }
  }).length
}

const ways: [string, (path: string) => unknown][] = [
  ['acquire', async (path) => acquire(path)],
  ['tryAcquire', async (path) => tryAcquire(path)],
  ['acquireSync', async (path) => acquireSync(path)],
]

describe.each(ways)('%s', (_, take) => {
  it.each([
    ['ENOLCK', 'ERR_LOCK_UNSUPPORTED'],
    ['ENOSYS', 'ERR_LOCK_UNSUPPORTED'],
    ['EOPNOTSUPP', 'ERR_LOCK_UNSUPPORTED'],
    ['EIO', 'ERR_LOCK_IO'],
  ] as const)(
    'fails with %s if locking does not work, and leaves nothing open',
    async (errno, code) => {
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      hand.script = () => -constants.errno[errno]
      await expect(take(path)).rejects.toMatchObject({ code, path, cause: { code: errno } })
      expect(openBelow(directory.path)).toBe(0)
    },
  )
})

describe.each(['EAGAIN', 'EACCES'] as const)('%s of flock(2)', (errno) => {
  it('means that somebody has the lock', async () => {
    using directory = temporaryDirectory()
    hand.script = () => -constants.errno[errno]
    expect(await tryAcquire(directory.file('lock'))).toBeNull()
    expect(openBelow(directory.path)).toBe(0)
  })
})
