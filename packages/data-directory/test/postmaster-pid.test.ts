// @vitest-environment-options { "alone": "postmaster-pid" }
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { linuxOnly } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Lock from '@howdah/lock'
import { readPostmasterPid } from '../src/index.ts'
import { FakeDirectory } from './support/fake-directory.ts'

/** What opening the file is refused with; `null` for not at all. */
const opening = vi.hoisted(() => ({ refusal: null as string | null, tries: 0, onTry: () => {} }))

vi.mock('@howdah/lock', async (original) => {
  const real = await original<typeof Lock>()
  return {
    ...real,
    openPlainFileSync: (...args: Parameters<typeof real.openPlainFileSync>) => {
      opening.tries += 1
      opening.onTry()
      const { refusal } = opening
      if (refusal !== null) throw Object.assign(new Error('made to fail'), { code: refusal })
      return real.openPlainFileSync(...args)
    },
  }
})

let fake: FakeDirectory

beforeEach(() => {
  fake = new FakeDirectory()
  Object.assign(opening, { refusal: null, tries: 0, onTry: () => {} })
})

afterEach(async () => await fake[Symbol.asyncDispose]())

const write = (...lines: (string | number)[]): void =>
  writeFileSync(fake.directory.pidFile, lines.map((line) => `${line}\n`).join(''))

describe('postmaster.pid', () => {
  test('has what a server that is ready has written', async () => {
    const ready = [
      '4711',
      '/data',
      '1767225600',
      '5433',
      '.',
      '127.0.0.1',
      '  5432001    32770',
      'ready   ',
    ]
    write(...ready)
    const { ino } = statSync(fake.directory.pidFile)
    const found = await readPostmasterPid(fake.directory)
    expect(found).toEqual({
      pid: 4711,
      dataDir: '/data',
      startedAt: new Date('2026-01-01T00:00:00Z'),
      port: 5433,
      socketDirectory: '.',
      listenAddress: '127.0.0.1',
      sharedMemory: { key: 5_432_001, id: 32_770 },
      status: 'ready',
      inode: BigInt(ino),
    })
    expect(opening.tries).toBe(1)
  })

  test('is closed again', linuxOnly('/proc/self/fd, which lists the open files'), async () => {
    write(4711)
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    for (let round = 0; round < 20; round++) await readPostmasterPid(fake.directory)
    expect(open()).toBeLessThan(before + 20)
  })

  test('has little of a server that is starting, and of one without sockets or TCP', async () => {
    write(4711, '/data', 1_767_225_600)
    const nothing = { port: null, socketDirectory: null, listenAddress: null, sharedMemory: null }
    expect(await readPostmasterPid(fake.directory)).toMatchObject({ ...nothing, status: null })
  })

  test.each([
    ['ready', 'ready'],
    ['starting', 'starting'],
    ['stopping', 'stopping'],
    ['standby', 'standby'],
    ['unheard of', null],
  ])('tells the status: %s', async (status, expected) => {
    write(4711, '/data', 1, 1, '', '', '', status)
    expect(await readPostmasterPid(fake.directory)).toMatchObject({ status: expected })
  })

  test.each(['5432001', 'x 5432001 7', '5432001 7 x', 'a 7', '7 a', '5432001-7'])(
    'names no shared memory by: %s',
    async (memory) => {
      write(4711, '/data', 1, 1, '', '', memory)
      expect(await readPostmasterPid(fake.directory)).toMatchObject({ sharedMemory: null })
    },
  )

  test('is none if there is none, and no directory', async () => {
    expect(await readPostmasterPid(fake.directory)).toBeNull()
    fake.remove()
    expect(await readPostmasterPid(fake.directory)).toBeNull()
    writeFileSync(fake.directory.path, '')
    expect(await readPostmasterPid(fake.directory)).toBeNull()
  })

  test('is waited for if a server has made it just now and not yet written it', async () => {
    writeFileSync(fake.directory.pidFile, '')
    opening.onTry = () => {
      if (opening.tries === 20) write(4711)
    }
    expect(await readPostmasterPid(fake.directory)).toMatchObject({ pid: 4711 })
    expect(opening.tries).toBe(20)
  })

  test('names nobody if it stays empty, and says so', async () => {
    writeFileSync(fake.directory.pidFile, '')
    const refusal = {
      code: 'ERR_CLUSTER_UNKNOWN_STATUS',
      message: expect.stringContaining('is empty'),
    }
    await expect(readPostmasterPid(fake.directory)).rejects.toMatchObject(refusal)
    expect(opening.tries).toBe(21)
    writeFileSync(fake.directory.pidFile, `nonsense ${'x'.repeat(100)}`)
    const shown = JSON.stringify(`nonsense ${'x'.repeat(31)}`)
    await expect(readPostmasterPid(fake.directory)).rejects.toMatchObject({
      code: 'ERR_CLUSTER_UNKNOWN_STATUS',
      message: expect.stringContaining(`begins with ${shown} and`),
    })
  })

  test.each([
    ['EACCES', 'ERR_CLUSTER_PERMISSION'],
    ['EPERM', 'ERR_CLUSTER_PERMISSION'],
    ['EIO', 'ERR_CLUSTER_UNKNOWN_STATUS'],
  ])('that cannot be read is never taken for none: %s', async (refusal, code) => {
    opening.refusal = refusal
    await expect(readPostmasterPid(fake.directory)).rejects.toMatchObject({
      code,
      cause: { code: refusal },
    })
  })

  test('that is not a file is never taken for none', async () => {
    mkdirSync(fake.directory.pidFile)
    const refusal = { code: 'ERR_CLUSTER_UNKNOWN_STATUS' }
    await expect(readPostmasterPid(fake.directory)).rejects.toMatchObject(refusal)
  })
})
