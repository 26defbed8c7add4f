import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Guard } from '@howdah/coordinate'
import { acquire } from '@howdah/lock'
import { until } from '@howdah/fixtures'
import { Arena } from './arena.ts'
import { isLinux } from './locks-in-use.ts'
import { connectTo } from './server/directory-subject.mjs'

describe('joining and leaving', () => {
  test('the first to join starts it, the next finds it, the last to leave stops it', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const first = await Guard.join(subject, paths, { start: {} })
    const second = await Guard.join(subject, paths, { start: {} })
    expect([first.started, second.started]).toEqual(['modified', 'unmodified'])
    const connection = await connectTo(arena.directory)
    expect(await first.leave()).toBe('in-use')
    expect(await subject.running()).toBe(true)
    connection.destroy()
    expect(await second.leave()).toBe('stopped')
    expect(await subject.running()).toBe(false)
    await arena.deserted()
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone'])
  })

  test('it is left once, however often it is left and disposed', async () => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(await Promise.all([guard.leave(), guard.leave()])).toEqual(['stopped', 'stopped'])
    await guard[Symbol.asyncDispose]()
    expect(arena.count('stop')).toBe(1)
  })

  test('nothing is left of it but what is its own, and the file of the watchdog lock', async () => {
    await using arena = new Arena()
    await (await Guard.join(arena.subject, arena.paths, { start: {} })).leave()
    await arena.deserted()
    expect(readdirSync(arena.directory).toSorted()).toEqual([
      '.hidden',
      'EXISTS',
      'data',
      'watchdog',
    ])
  })

  test('the last one destroys it, if that is its wish', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const first = await Guard.join(subject, paths, { start: {}, atEnd: 'destroy' })
    const second = await Guard.join(subject, paths, { start: {}, atEnd: 'destroy' })
    expect(await first.leave()).toBe('in-use')
    expect(await second.leave()).toBe('destroyed')
    expect(existsSync(arena.directory)).toBe(false)
    await arena.deserted()
  })

  test('what has to exist is not made', async () => {
    await using arena = new Arena()
    const joining = Guard.join(arena.subject, arena.paths, { start: {}, ifExists: true })
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_COORDINATE_DOES_NOT_EXIST',
      path: arena.paths.use,
    })
    expect(existsSync(arena.directory)).toBe(false)
  })

  test('a server that died under its users is started again by the next to join', async () => {
    await using arena = new Arena()
    await using first = await Guard.join(arena.subject, arena.paths, { start: {} })
    await arena.killServer()
    await using second = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(second.started).toBe('modified')
    expect(await first.leave()).toBe('in-use')
    expect(await second.leave()).toBe('stopped')
    await arena.deserted()
  })

  test('of two who leave at once exactly one stops it', async () => {
    await using arena = new Arena()
    const users = [arena.user(), arena.user()]
    await Promise.all(users.map((user) => user.joined()))
    const answers = await Promise.all(users.map((user) => user.leave()))
    expect(answers.toSorted()).toEqual(['in-use', 'stopped'])
    await arena.deserted()
    expect(arena.count('stop')).toBe(1)
  })

  test('a user whose subject was removed and made anew leaves the new one alone', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const old = await Guard.join(subject, paths, { start: {} })
    {
      using change = await acquire(paths.change)
      await subject.destroy({ change })
    }
    const young = await Guard.join(subject, paths, { start: {} })
    expect(young.started).toBe('modified')
    expect(await old.leave()).toBe('kept')
    expect(await subject.running()).toBe(true)
    expect(await young.leave()).toBe('stopped')
    await arena.deserted()
  })

  test('a user whose subject was removed has nothing to leave', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start: {} })
    {
      using change = await acquire(paths.change)
      await subject.destroy({ change })
    }
    expect(await guard.leave()).toBe('kept')
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
  })

  test('a failed start leaves nothing behind, and the next one works', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const failing = Guard.join(subject, paths, { start: { fails: true } })
    await expect(failing).rejects.toThrow('the server does not like it')
    await arena.deserted()
    await using guard = await Guard.join(subject, paths, { start: {} })
    expect(guard.started).toBe('modified')
  })

  test('a failed start removes what was made to be thrown away', async () => {
    await using arena = new Arena()
    const options = { start: { fails: true }, throwAway: true }
    await expect(Guard.join(arena.subject, arena.paths, options)).rejects.toThrow(
      'does not like it',
    )
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
  })
})

describe('waiting', () => {
  test('who waits for change is told, and gives up after the timeout', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const first = await Guard.join(subject, paths, { start: {} })
    const change = await acquire(paths.change)
    const waits: string[] = []
    const hasty = Guard.join(subject, paths, {
      start: {},
      timeout: 1_000,
      onWait: (wait) => waits.push(`${wait.for} ${wait.path} ${wait.holders[0]?.pid}`),
    })
    await expect(hasty).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
      path: paths.change,
    })
    const holder = isLinux ? process.pid : undefined
    expect(waits).toEqual([`change ${paths.change} ${holder}`])
    change.release()
    expect(await first.leave()).toBe('stopped')
  })

  test('an abort ends a wait with its reason', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const slow = Guard.join(subject, paths, { start: { slowStart: 500 } })
    await until('it is being started', () => arena.has('server'))
    const controller = new AbortController()
    const waiting = Guard.join(subject, paths, {
      start: {},
      signal: controller.signal,
      onWait: () => controller.abort(new Error('enough')),
    })
    await expect(waiting).rejects.toThrow('enough')
    expect(await (await slow).leave()).toBe('stopped')
  })

  test('a leave that cannot wait has left all the same, and the watchdog stops the server', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start: {} })
    const holder = arena.user({ dieAt: 'never' })
    await holder.joined()
    const change = await acquire(paths.change)
    await holder.kill()
    await expect(guard.leave({ timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
    })
    await arena.deserted()
    change.release()
    expect(arena.count('gone')).toBe(1)
  })
})
