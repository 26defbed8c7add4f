import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { linuxOnly, temporaryDirectory, whereIs } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import {
  DataDirLock,
  PidFile,
  currentProcess,
  parseIdentity,
  tryAcquire,
  type LockHolder,
} from '../src/index.ts'
import { Child } from './support/child.ts'

const holder = `
  const held = await lock.DataDirLock.acquire(process.argv[1])
  console.log('held')
  process.stdin.resume().once('end', () => held.release())`

describe('DataDirLock.acquire', () => {
  it('makes the directory, the lock file and the pidfile', async () => {
    using directory = temporaryDirectory()
    const dataDir = directory.file('deep', 'data')
    using lock = await DataDirLock.acquire(dataDir)
    expect(lock).toMatchObject({ dataDir, path: `${dataDir}/.howdah.lock`, held: true })
    expect(readdirSync(dataDir).toSorted()).toEqual(['.howdah.lock', '.howdah.pidfile'])
    expect(readFileSync(`${dataDir}/.howdah.pidfile`, 'utf8')).toBe(String(process.pid))
    expect(parseIdentity(readFileSync(lock.path, 'utf8'))).toEqual(currentProcess())
  })

  it('uses the given base name', async () => {
    using directory = temporaryDirectory()
    using lock = await DataDirLock.acquire(directory.path, { name: 'handoff' })
    expect(lock.held).toBe(true)
    expect(readdirSync(directory.path).toSorted()).toEqual(['.handoff.lock', '.handoff.pidfile'])
    using other = await DataDirLock.acquire(directory.path, { name: 'other' })
    expect(other.held).toBe(true)
    await expect(DataDirLock.acquire(directory.path, { name: 'a/b' })).rejects.toMatchObject({
      code: 'ERR_LOCK_OPTION',
    })
  })

  it('is refused while another process has the directory, and names it', async () => {
    using directory = temporaryDirectory()
    await using other = Child.script(holder, directory.path)
    await other.line()
    await expect(DataDirLock.acquire(directory.path)).rejects.toMatchObject({
      code: 'ERR_LOCK_HELD',
      pid: other.pid,
      path: directory.file('.howdah.lock'),
      holder: { pid: other.pid, liveness: 'alive' },
    })
    expect(DataDirLock.namedHolder(directory.path)).toEqual({ pid: other.pid, liveness: 'alive' })
    other.finish()
    await other.success()
    expect(DataDirLock.namedHolder(directory.path)).toBeNull()
    using lock = await DataDirLock.acquire(directory.path)
    expect(lock.held).toBe(true)
  })

  it.each([
    ['missing', null],
    ['garbage', 'garbage'],
    ['0', '0'],
  ])('reports 0 if the pidfile of the holder is %s', async (_, content) => {
    using directory = temporaryDirectory()
    using held = await tryAcquire(directory.file('.howdah.lock'))
    expect(held?.held).toBe(true)
    if (content !== null) writeFileSync(directory.file('.howdah.pidfile'), content)
    await expect(DataDirLock.acquire(directory.path)).rejects.toMatchObject({
      code: 'ERR_LOCK_HELD',
      pid: 0,
    })
  })

  it('takes over from a process that was killed, whatever its files say', async () => {
    using directory = temporaryDirectory()
    await using other = Child.script(holder, directory.path)
    await other.line()
    const { ino } = statSync(directory.file('.howdah.lock'))
    await other[Symbol.asyncDispose]()
    expect(DataDirLock.namedHolder(directory.path)).toEqual({ pid: other.pid, liveness: 'dead' })
    using lock = await DataDirLock.acquire(directory.path)
    expect(PidFile.read(directory.file('.howdah.pidfile'))).toBe(process.pid)
    expect(statSync(lock.path).ino).toBe(ino)
  })

  it('is not held if the pidfile cannot be written', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('.howdah.pidfile'))
    await expect(DataDirLock.acquire(directory.path)).rejects.toMatchObject({
      path: directory.file('.howdah.pidfile'),
    })
    using free = await tryAcquire(directory.file('.howdah.lock'))
    expect(free?.held).toBe(true)
    expect(readdirSync(directory.path).toSorted()).toEqual(['.howdah.lock', '.howdah.pidfile'])
  })
})

describe('DataDirLock.acquireOrBreakStale', () => {
  it('is refused while the named holder lives', async () => {
    using directory = temporaryDirectory()
    await using other = Child.script(holder, directory.path)
    await other.line()
    const told: LockHolder[] = []
    const broken = DataDirLock.acquireOrBreakStale(directory.path, {
      onStale: (one) => told.push(one),
    })
    await expect(broken).rejects.toMatchObject({
      code: 'ERR_LOCK_STALE_BREAK_REFUSED',
      pid: other.pid,
    })
    expect(told).toEqual([])
  })

  it('is refused if the named holder is gone but its child has the lock, and calls onStale', async ({
    skip,
  }) => {
    skip(whereIs('flock') === null, 'there is no flock(1)')
    using directory = temporaryDirectory()
    const path = directory.file('.howdah.lock')
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT)
    await using child = Child.command('flock', ['3'], [fd])
    await child.success()
    await using gone = Child.command('true', [])
    await gone.ended
    writeFileSync(directory.file('.howdah.pidfile'), String(gone.pid))

    const told: LockHolder[] = []
    const options = { onStale: (one: LockHolder) => told.push(one) }
    const broken = DataDirLock.acquireOrBreakStale(directory.path, options)
    await expect(broken).rejects.toMatchObject({
      code: 'ERR_LOCK_STALE_BREAK_REFUSED',
      pid: gone.pid,
    })
    expect(told).toEqual([{ pid: gone.pid, liveness: 'dead' }])

    // If the last holder releases the lock just then, the second try gets it.
    using lock = await DataDirLock.acquireOrBreakStale(directory.path, {
      onStale: () => closeSync(fd),
    })
    expect(lock.held).toBe(true)
  })

  const namespaces = linuxOnly('pid namespaces')

  it('is refused if the holder is in another pid namespace', namespaces, async () => {
    using directory = temporaryDirectory()
    using held = await DataDirLock.acquire(directory.path)
    writeFileSync(held.path, JSON.stringify({ ...currentProcess(), pidNamespace: 'pid:[1]' }))
    await expect(DataDirLock.acquireOrBreakStale(directory.path)).rejects.toMatchObject({
      code: 'ERR_LOCK_STALE_BREAK_REFUSED',
      holder: { pid: process.pid, liveness: 'unknown' },
    })
  })

  it('is refused if the pid is recycled but the lock is held', async () => {
    using directory = temporaryDirectory()
    using held = await DataDirLock.acquire(directory.path)
    writeFileSync(held.path, JSON.stringify({ ...currentProcess(), startTime: '1' }))
    await expect(DataDirLock.acquireOrBreakStale(directory.path)).rejects.toMatchObject({
      code: 'ERR_LOCK_STALE_BREAK_REFUSED',
      holder: { pid: process.pid, liveness: 'dead' },
    })
  })

  it('takes a free lock', async () => {
    using directory = temporaryDirectory()
    using lock = await DataDirLock.acquireOrBreakStale(directory.path)
    expect(lock.held).toBe(true)
  })
})

describe('DataDirLock.release', () => {
  it('removes the pidfile, keeps the lock file, and is idempotent', async () => {
    using directory = temporaryDirectory()
    const lock = await DataDirLock.acquire(directory.path)
    lock.release()
    lock.release()
    expect(lock.held).toBe(false)
    expect(readdirSync(directory.path)).toEqual(['.howdah.lock'])
    expect(readFileSync(directory.file('.howdah.lock'), 'utf8')).toBe('')
  })

  it("never removes a successor's pidfile", async () => {
    using directory = temporaryDirectory()
    const successor = `
      for (let tries = 0; ; tries++) {
        try {
          await lock.DataDirLock.acquire(process.argv[1], { durable: false })
          console.log('held')
          setInterval(() => {}, 1_000)
          break
        } catch (error) {
          if (error.code !== 'ERR_LOCK_HELD') throw error
          if (tries === 0) console.log('tries')
          await new Promise(setImmediate)
        }
      }`
    for (let round = 0; round < 5; round++) {
      const lock = await DataDirLock.acquire(directory.path, { durable: false })
      await using child = Child.script(successor, directory.path)
      expect(await child.line()).toBe('tries')
      lock.release()
      expect(await child.line()).toBe('held')
      expect(PidFile.read(directory.file('.howdah.pidfile'))).toBe(child.pid)
    }
  })
})
