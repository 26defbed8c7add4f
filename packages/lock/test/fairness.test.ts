import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryDirectory, times as unlessLong } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire } from '../src/index.ts'
import { Child } from './support/child.ts'

interface Share {
  times: number
}

describe('waiters in line', () => {
  it.each([2, 6])('each get their share: %i processes in a hot loop', async (count) => {
    using directory = temporaryDirectory()
    await using processes = Child.several(count, () =>
      Child.node('hot-loop', directory.file('lock'), '{}', 1),
    )
    await Promise.all(processes.map((one) => one.line()))
    for (const one of processes) one.tell('start')
    await Promise.all(processes.map((one) => one.line()))
    // How long they compete; this waits for no event.
    await sleep(unlessLong(1_500, 5_000))
    for (const one of processes) one.tell('end')
    const shares = await Promise.all(
      processes.map(async (one): Promise<Share> => JSON.parse(await one.line())),
    )
    const fair = shares.reduce((sum, { times }) => sum + times, 0) / count
    for (const { times } of shares) expect(times).toBeGreaterThan(fair / 2)
  })

  it('get past readers whose holds overlap', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using readers = Child.several(4, (index) =>
      Child.node('hot-loop', path, '{"mode":"shared"}', 5 + index),
    )
    await Promise.all(readers.map((one) => one.line()))
    for (const one of readers) one.tell('start')
    await Promise.all(readers.map((one) => one.line()))
    for (let times = 0; times < 20; times++) {
      using lock = await acquire(path, { timeout: 5_000 })
      expect(lock.mode).toBe('exclusive')
    }
    for (const one of readers) one.tell('end')
    const shares = await Promise.all(
      readers.map(async (one): Promise<Share> => JSON.parse(await one.line())),
    )
    for (const { times } of shares) expect(times).toBeGreaterThan(0)
  })
})
