// @vitest-environment-options { "alone": "windows/serving" }
import { mkdirSync, writeFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { acquireSync, currentProcess, type Lock } from '@howdah/lock'
import type * as Locks from '@howdah/lock'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Paths, ServerRecord, Subject } from '@howdah/coordinate'
import {
  hasServer,
  isOfElsewhere,
  isServed,
  isUnseen,
  lockForServer,
  refuseUnseen,
} from '../../src/launch/server-lock.ts'
import { readRecord, writeRecord } from '../../src/record/record.ts'
import { plainRecord as record } from '../plain-record.ts'

/** What the kernel answers to each try of a lock: `held`, `free`, or an error of this code. The last answer stays. */
const locks = vi.hoisted(() => ({
  answers: [] as string[],
  asked: [] as unknown[],
  released: 0,
  onTry: () => {},
}))

vi.mock('@howdah/lock', async (original) => {
  const real = await original<typeof Locks>()
  const attempt = async (...asked: unknown[]) => {
    locks.asked.push(asked)
    locks.onTry()
    const answer = (locks.answers.length > 1 ? locks.answers.shift() : locks.answers[0]) ?? 'free'
    if (answer === 'held') return null
    if (answer === 'free') return { fd: 42, release: () => locks.released++ }
    throw Object.assign(new Error('made to fail'), { code: answer })
  }
  return { ...real, tryAcquire: attempt, acquire: attempt }
})

const dead = { ...currentProcess(), startTime: '1' }
const ofContainer = { ...currentProcess(), pidNamespace: 'pid:[1]' }
const elsewhere = { code: 'ERR_COORDINATE_ELSEWHERE' }

let home: TemporaryDirectory
let paths: Paths
let change: Lock

beforeEach(() => {
  home = temporaryDirectory()
  const path = home.file('data')
  mkdirSync(path)
  const file = (name: string) => `${path}/${name}`
  paths = {
    change: path,
    use: file('use'),
    watchdog: file('watchdog'),
    server: file('server'),
    record: file('record'),
  }
  change = acquireSync(path)
  Object.assign(locks, { answers: [], asked: [], released: 0, onTry: () => {} })
})

afterEach(() => {
  change.release()
  home[Symbol.dispose]()
})

const recorded = (process: ServerRecord['process']) =>
  writeRecord(paths, change, { ...record, process })

describe('a server lives as long as its lock is held', () => {
  test('which is tried in a way that two may at once, and makes no file', async () => {
    expect(await isServed(paths)).toBe(false)
    expect(locks).toMatchObject({
      asked: [[paths.server, { mode: 'shared', create: false }]],
      released: 1,
    })
    locks.answers = ['held']
    expect(await isServed(paths)).toBe(true)
  })

  test('and none does if the lock has no file; whatever else fails is said', async () => {
    locks.answers = ['ERR_LOCK_NOT_FOUND', 'EIO']
    expect(await isServed(paths)).toBe(false)
    await expect(isServed(paths)).rejects.toMatchObject({ code: 'EIO' })
  })
})

describe('a server that lives and cannot be judged', () => {
  test('is one that is not of here, and has its lock for longer than it takes to end', async () => {
    locks.answers = ['held']
    recorded(ofContainer)
    expect(await isUnseen(paths)).toBe(true)
    await expect(refuseUnseen(paths)).rejects.toMatchObject({
      ...elsewhere,
      path: paths.change,
      server: { process: { pid: process.pid } },
    })
    expect(locks.asked.length).toBeGreaterThan(4)
  })

  test('is none if it ends, or is recorded, after a moment', async () => {
    recorded(ofContainer)
    locks.answers = ['held', 'held', 'free']
    await refuseUnseen(paths)
    expect(locks.asked).toHaveLength(3)
    locks.answers = ['held']
    locks.onTry = () => recorded(dead)
    expect(await isUnseen(paths)).toBe(false)
    expect(locks.asked).toHaveLength(4)
  })

  test('is none if it was killed here, and its children still end', async () => {
    locks.answers = ['held']
    recorded(dead)
    expect(await isUnseen(paths)).toBe(false)
    expect(locks.asked).toHaveLength(1)
  })

  test('is of another container of this machine, and of this boot', () => {
    const isElsewhere = (changes: Partial<ServerRecord['process']>) =>
      isOfElsewhere({ ...record, process: { ...currentProcess(), ...changes } })
    expect(isElsewhere({ pidNamespace: 'pid:[1]' })).toBe(true)
    expect(isElsewhere({ pidNamespace: 'pid:[1]', bootId: 'another' })).toBe(false)
    expect(isElsewhere({ bootId: 'another' })).toBe(false)
    expect([isElsewhere({}), isOfElsewhere(null)]).toEqual([false, false])
  })
})

describe('a subject has a server', () => {
  const subjectWith = (process: ServerRecord['process'] | null) =>
    ({ process: async () => process }) as Subject<never>

  test('if it knows one, or one is recorded that it does not know yet', async () => {
    expect(await hasServer(paths, subjectWith(currentProcess()))).toBe(true)
    expect(await hasServer(paths, subjectWith(null))).toBe(false)
    recorded(currentProcess())
    locks.asked = []
    expect(await hasServer(paths, subjectWith(null))).toBe(true)
    expect(locks.asked).toEqual([])
  })

  test('or nobody knows', linuxOnly('pid namespaces'), async () => {
    recorded(ofContainer)
    locks.answers = ['held']
    await expect(hasServer(paths, subjectWith(null))).rejects.toMatchObject(elsewhere)
  })
})

describe('the lock that a server is to inherit', () => {
  test('is made only if that is wanted, and waited for', async () => {
    expect(await lockForServer(paths)).toMatchObject({ fd: 42 })
    expect(await lockForServer(paths, true)).toMatchObject({ fd: 42 })
    expect(locks.asked).toEqual([
      [paths.server, { create: false, fair: false, timeout: 10_000 }],
      [paths.server, { create: true, fair: false, timeout: 10_000 }],
    ])
  })

  test('is that of a server elsewhere, or of processes here that do not end', async () => {
    recorded(ofContainer)
    locks.answers = ['ERR_LOCK_TIMEOUT', 'held']
    await expect(lockForServer(paths)).rejects.toMatchObject(elsewhere)
    recorded(dead)
    locks.answers = ['ERR_LOCK_TIMEOUT', 'held']
    await expect(lockForServer(paths)).rejects.toMatchObject({
      code: 'ERR_COORDINATE_TIMEOUT',
      path: paths.server,
      timeout: 10_000,
      message: expect.stringContaining('the processes of its killed server to end'),
      cause: { code: 'ERR_LOCK_TIMEOUT' },
    })
    expect(readRecord(paths)?.process.startTime).toBe('1')
  })

  test('may fail otherwise, which is said as it is', async () => {
    writeFileSync(paths.server, '')
    locks.answers = ['EIO']
    await expect(lockForServer(paths)).rejects.toMatchObject({ code: 'EIO' })
    expect(locks.asked).toHaveLength(1)
  })
})
