import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Free, Guard, ownership, unpin } from '@howdah/coordinate'
import { times, until } from '@howdah/fixtures'
import { Arena } from './arena.ts'

const joining = ['prepare', 'create', 'created-half', 'created', 'start', 'launched', 'started']
const leaving = ['stop', 'stopped', 'destroy', 'destroyed-half', 'destroyed']
/** From here on there is a watchdog, and nobody has to come by for all to be cleaned up. */
const watched = new Set(['start', 'launched', 'started', ...leaving])

describe.concurrent.each([false, true])('thrown away: %s', (throwAway) => {
  test.each([...joining, ...leaving.slice(0, throwAway ? 5 : 2)])(
    'a process that is killed at "%s" leaves nothing, and the next one works',
    async (dieAt) => {
      await using arena = new Arena()
      const options = { throwAway }
      const victim = arena.user({ ...options, dieAt })
      if (leaving.includes(dieAt)) {
        await victim.joined()
        victim.child.stdin?.write('leave\n')
      }
      expect(await victim.ended).toBe('SIGKILL')
      if (watched.has(dieAt)) await arena.deserted()
      const removed = watched.has(dieAt) && throwAway
      expect(removed && existsSync(arena.directory)).toBe(false)

      const next = await Guard.join(arena.subject, arena.paths, { start: {}, ...options })
      expect(await next.leave()).toBe(throwAway ? 'destroyed' : 'stopped')
      await arena.deserted()
      expect(existsSync(arena.directory) ? readdirSync(arena.directory).toSorted() : []).toEqual(
        throwAway ? [] : ['.hidden', 'EXISTS', 'data', 'watchdog'],
      )
      expect(arena.count('clash')).toBe(0)
      expect(arena.count('start')).toBe(arena.count('gone') + killedUnready(arena))
    },
  )
})

describe.concurrent.each([false, true])('started to stay, thrown away: %s', (throwAway) => {
  test.each(joining)(
    'a process that is killed at "%s" leaves nothing that runs, or the pinned server',
    async (dieAt) => {
      await using arena = new Arena()
      const { subject, paths } = arena
      const victim = arena.user({ stays: true, throwAway, dieAt })
      expect(await victim.ended).toBe('SIGKILL')
      const launched = dieAt === 'launched' || dieAt === 'started'
      if (launched) await until('it is ready', () => subject.running())
      await until('only the server is left', () =>
        arena.involved().every(({ role }) => role === 'server'),
      )
      expect(await ownership(paths, subject)).toBe(launched ? 'pinned' : 'none')
      expect(dieAt === 'start' && throwAway && existsSync(arena.directory)).toBe(false)

      const user = await Guard.join(subject, paths, { start: {} })
      expect(user.started).toBe(launched ? 'unmodified' : 'modified')
      expect(await user.leave()).toMatch(launched ? 'kept' : /stopped|destroyed/)
      expect(await new Free(subject, paths).start({ start: {} })).toBe(
        launched ? 'unmodified' : 'modified',
      )
      expect(await ownership(paths, subject)).toBe('pinned')
      await unpin(paths, subject)
      await arena.deserted()
      expect(arena.count('clash')).toBe(0)
    },
  )
})

test.concurrent('processes that are killed at random instants of a start to stay leave nothing, or what runs', async () => {
  await using arena = new Arena()
  const { subject, paths } = arena
  let hits = 0
  for (let round = 0; round < times(6, 16) || hits < 3; round++) {
    const victim = arena.user({ stays: true, tells: true })
    await victim.begun()
    await sleep(Math.random() * 120)
    if (!victim.isDone) hits++
    await victim.kill()
    const next = await Guard.join(subject, paths, { start: {} })
    const stays = next.started === 'unmodified'
    expect(await next.leave()).toBe(stays ? 'kept' : 'stopped')
    if (stays) await unpin(paths, subject)
    await arena.deserted()
  }
  expect(arena.count('clash')).toBe(0)
})

test.concurrent('a starter that is killed is followed by one that waits for the server that it began to start', async () => {
  await using arena = new Arena()
  // Who still uses it keeps the watchdog from stopping what the victim starts.
  const holder = arena.user()
  await holder.joined()
  await arena.killServer()
  const slow = { start: { slowStart: 400 } }
  const victim = arena.user({ ...slow, dieAt: 'launched' })
  expect(await victim.ended).toBe('SIGKILL')
  const next = arena.user(slow)
  expect(await next.joined()).toBe('unmodified')
  expect(arena.count('clash')).toBe(0)
  expect(next.lost).toBe(false)
  expect(await holder.leave()).toBe('in-use')
  expect(await next.leave()).toBe('stopped')
  await arena.deserted()
})

test.concurrent('processes that are killed at random instants leave nothing behind', async () => {
  await using arena = new Arena()
  let hits = 0
  for (let round = 0; round < times(9, 24) || hits < 3; round++) {
    const victim = arena.user({ throwAway: round % 2 === 0, tells: true })
    await victim.begun()
    await sleep(Math.random() * 140)
    if (!victim.isDone) hits++
    if (round % 3 === 0) victim.child.stdin?.write('leave\n')
    await sleep(Math.random() * 20)
    await victim.kill()
  }
  const last = await Guard.join(arena.subject, arena.paths, { start: {} })
  expect(await last.leave()).toMatch(/stopped|destroyed/)
  await arena.deserted()
  expect(arena.count('clash')).toBe(0)
})

/** Servers that were stopped while they were still coming up, before they could say so. */
function killedUnready(arena: Arena): number {
  const gone = new Set(arena.events().flatMap(([what, pid]) => (what === 'gone' ? [pid] : [])))
  return new Set(
    arena.events().flatMap(([what, pid]) => (what === 'start' && !gone.has(pid) ? [pid] : [])),
  ).size
}
