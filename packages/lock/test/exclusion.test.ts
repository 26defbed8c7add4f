import { readFileSync } from 'node:fs'
import { temporaryDirectory, times, whereIs } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { DataDirLock, acquire, tryAcquire } from '../src/index.ts'
import { Child } from './support/child.ts'
import { Counter } from './support/counter.ts'

const python = `
import fcntl, sys
path, counter, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
for _ in range(times):
    with open(path, 'a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(counter) as file: value = int(file.read())
        with open(counter, 'r+') as file: file.write(str(value + 1).rjust(8))
`

const shell = `for i in $(seq "$3"); do flock "$1" sh -c 'printf %8d $(($(cat "$0") + 1)) 1<> "$0"' "$2"; done`

const noFlock = whereIs('flock') === null
const noPython = whereIs('python3') === null

describe('an exclusive lock', () => {
  it.each(['fair', 'unfair', 'upgraded', 'downgraded', 'sync', 'try', 'timeout'])(
    'lets one of eight processes at a time through, however they wait: %s',
    async (way) => {
      using directory = temporaryDirectory()
      const counter = new Counter(directory.file('counter'))
      await using processes = Child.several(8, () =>
        Child.node('count', directory.file('lock'), counter.path, 250, way),
      )
      await Promise.all(processes.map((one) => one.success()))
      expect(counter.value).toBe(2_000)
    },
  )

  it('lets one of eight transformations at a time through', async () => {
    using directory = temporaryDirectory()
    const counter = new Counter(directory.file('counter'))
    const rounds = times(25, 250)
    await using processes = Child.several(8, () =>
      Child.node('count', directory.file('lock'), counter.path, rounds, 'transform'),
    )
    await Promise.all(processes.map((one) => one.success()))
    expect(counter.value).toBe(8 * rounds)
  })

  it('is needed: without it increments are lost', async () => {
    using directory = temporaryDirectory()
    const counter = new Counter(directory.file('counter'))
    await using processes = Child.several(4, (index) =>
      Child.node('count', directory.file(`lock-${index}`), counter.path, 8_000, 'fair'),
    )
    // Some processes fail, too, because of torn reads.
    await Promise.all(processes.map((one) => one.ended))
    expect(counter.value).not.toBe(32_000)
  })

  it('lets one of eight worker threads at a time through', async () => {
    using directory = temporaryDirectory()
    const counter = new Counter(directory.file('counter'))
    await using threads = Child.node(
      'count-in-worker',
      directory.file('lock'),
      counter.path,
      250,
      8,
    )
    await threads.success()
    expect(counter.value).toBe(2_000)
  })

  it('excludes flock(1) and Python, and they exclude it', async ({ skip }) => {
    skip(noFlock || noPython, 'there is no flock(1), or no python3')
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const counter = new Counter(directory.file('counter'))
    await using node = Child.node('count', path, counter.path, 250, 'fair')
    await using other = Child.command('python3', ['-c', python, path, counter.path, '250'])
    await using flock = Child.command('sh', ['-c', shell, 'sh', path, counter.path, '100'])
    await Promise.all([node.success(), other.success(), flock.success()])
    expect(counter.value).toBe(600)
  })

  it('keeps flock(1) out while it is held, and is kept out by flock(1)', async ({ skip }) => {
    skip(noFlock, 'there is no flock(1)')
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const lock = await acquire(path)
    await using refused = Child.command('flock', ['--nonblock', path, 'true'])
    expect((await refused.ended).code).toBe(1)

    lock.release()
    await using holder = Child.command('flock', [path, 'sh', '-c', 'echo held; cat'])
    expect(await holder.line()).toBe('held')
    expect(await tryAcquire(path)).toBeNull()
    expect(await tryAcquire(path, { mode: 'shared' })).toBeNull()
    const waiting = acquire(path)
    holder.finish()
    expect((await waiting).held).toBe(true)
    ;(await waiting).release()
  })

  it('holds while its file is removed and made anew, under the lock, 10,000 times', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const counter = new Counter(directory.file('counter'))
    await using replacer = Child.node('replace', path, 10_000)
    await using processes = Child.several(8, () =>
      Child.node('count', path, counter.path, 250, 'fair'),
    )
    await Promise.all([replacer.success(), ...processes.map((one) => one.success())])
    expect(counter.value).toBe(2_000)
  })

  it('with the handoff files excludes flock(1), and has a pidfile that is one integer', async ({
    skip,
  }) => {
    skip(noFlock, 'there is no flock(1)')
    using directory = temporaryDirectory()
    const counter = new Counter(directory.file('counter'))
    await using processes = Child.several(4, () =>
      Child.node('count', directory.path, counter.path, 25, 'handoff'),
    )
    await using flock = Child.command('sh', [
      '-c',
      shell,
      'sh',
      directory.file('.handoff.lock'),
      counter.path,
      '25',
    ])
    await Promise.all([flock.success(), ...processes.map((one) => one.success())])
    expect(counter.value).toBe(125)

    using lock = await DataDirLock.acquire(directory.path, { name: 'handoff' })
    expect(readFileSync(directory.file('.handoff.pidfile'), 'utf8')).toBe(String(process.pid))
    expect(lock.path).toBe(directory.file('.handoff.lock'))
    await using refused = Child.command('flock', ['--nonblock', lock.path, 'true'])
    expect((await refused.ended).code).toBe(1)
  })
})
