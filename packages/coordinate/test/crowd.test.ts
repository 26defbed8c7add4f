import { setTimeout as sleep } from 'node:timers/promises'
import { times } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Arena } from './arena.ts'
import { numberOfUsers, told, watchdogKinds } from './locks-in-use.ts'

const many = times(20, 50)

test(`${many} who start at once start it once, and are all connected to the same server`, async () => {
  await using arena = new Arena()
  const crowd = Array.from({ length: many }, () => arena.user())
  const started = await Promise.all(crowd.map((user) => user.joined()))
  expect(started.filter((state) => state === 'modified')).toHaveLength(1)
  expect(await numberOfUsers(arena.paths)).toBe(told(many))
  const answers = await Promise.all(crowd.map((user) => user.leave()))
  expect(answers.filter((answer) => answer === 'stopped')).toHaveLength(1)
  expect(crowd.some((user) => user.lost)).toBe(false)
  await arena.deserted()
  expect(arena.count('start')).toBe(1)
})

const crowds = [
  [times(32, 72), 'sh'],
  [times(16, 24), 'node'],
] as const

test.each(crowds.filter(([, watchdog]) => watchdogKinds.includes(watchdog)))(
  '%i who are killed at random take nobody’s connection away, and leave nothing (%s)',
  async (count, watchdog) => {
    await using arena = new Arena()
    let connected = 0
    const live = async (index: number): Promise<boolean> => {
      await sleep(index * 50 + Math.random() * 200)
      const user = arena.user({ watchdog })
      const joined = user.joined().then(
        () => connected++,
        () => undefined,
      )
      // Half of them are killed at any time, the others some time after they were connected.
      if (index % 2 === 0) await joined
      await sleep(Math.random() * 400)
      if (index % 8 === 1) user.child.stdin?.write('leave\n')
      else await user.kill()
      await user.ended
      return user.lost
    }
    const lost = await Promise.all(Array.from({ length: count }, (_, index) => live(index)))
    expect(lost.filter(Boolean)).toHaveLength(0)
    // Else it would prove nothing.
    expect(connected).toBeGreaterThan(count / 3)
    await arena.deserted()
    expect(arena.count('clash')).toBe(0)
    expect(arena.count('stop')).toBe(arena.count('gone'))
  },
)
