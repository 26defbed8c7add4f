// @vitest-environment-options { "alone": "windows/conversion" }
import { constants } from 'node:os'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { acquire, tryAcquire, type Lock } from '../../src/index.ts'
import { LOCK_EX, LOCK_SH, LOCK_UN } from '../support/scripted-binding.ts'

const held = -constants.errno.EAGAIN
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

/**
 * Refuses the conversion to one of these modes, as if another process came in between. The old lock is released, as by
 * flock(2).
 */
function refuse(...refused: number[]): void {
  hand.operations = []
  hand.script = (fd, operation, flock) => {
    if (!refused.includes(operation)) return flock(fd, operation)
    flock(fd, LOCK_UN)
    return held
  }
}

const upgrades: [string, (lock: Lock) => unknown][] = [
  ['tryUpgrade', async (lock) => lock.tryUpgrade()],
  ['upgrade', async (lock) => lock.upgrade({ timeout: 1_000 })],
]

describe.each(upgrades)('%s', (_, upgrade) => {
  it('reports that the lock is lost, and releases it, if the shared lock cannot be taken again', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path, { mode: 'shared', fair: false })
    refuse(LOCK_EX, LOCK_SH)
    await expect(upgrade(lock)).rejects.toEqual(code('ERR_LOCK_LOST'))
    expect(hand.operations).toEqual([LOCK_EX, LOCK_SH])
    expect(lock).toMatchObject({ held: false, mode: 'shared' })
    expect(() => lock.fd).toThrow(code('ERR_LOCK_RELEASED'))
    hand.script = null
    using next = await tryAcquire(path)
    expect(next?.held).toBe(true)
  })
})

describe('tryUpgrade', () => {
  it('that is refused takes the shared lock again', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared', fair: false })
    refuse(LOCK_EX)
    expect(lock.tryUpgrade()).toBe(false)
    expect(hand.operations).toEqual([LOCK_EX, LOCK_SH])
    expect(lock).toMatchObject({ held: true, mode: 'shared' })
    hand.script = null
    expect(await tryAcquire(path)).toBeNull()
  })

  it('does not risk the shared lock while another reader is seen', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux tells who holds a lock')
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using lock = await acquire(path, { mode: 'shared', fair: false })
    using other = await acquire(path, { mode: 'shared' })
    hand.operations = []
    expect(lock.tryUpgrade()).toBe(false)
    expect(hand.operations).toEqual([])
    expect([lock.held, other.held]).toEqual([true, true])
  })
})

describe('downgrade', () => {
  it('reports that the lock is lost, and releases it, if the shared lock cannot be taken', async () => {
    using directory = temporaryDirectory()
    const lock = await acquire(directory.file('lock'))
    refuse(LOCK_SH)
    expect(() => lock.downgrade()).toThrow(code('ERR_LOCK_LOST'))
    expect(lock.held).toBe(false)
  })
})
