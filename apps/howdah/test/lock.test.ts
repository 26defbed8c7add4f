import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { linuxOnly, until, whereIs } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { type Running, start } from './project.ts'
import { WorkingDirectory } from './working-directory.ts'

/** flock(1), wherever it comes from. */
const flock = whereIs('flock') ? ['flock'] : whereIs('busybox') ? ['busybox', 'flock'] : null
if (flock === null) console.log('what is seen from flock(1) is not tested: there is none')

/** Says that it runs, and goes on for ever. */
const forever = 'echo ready; while :; do sleep 0.05; done'
/** Says that it runs, and waits for ever without a child, because a child would hold the lock, too. */
const alone = 'mkfifo "$$.never"; echo "pid $$;"; echo ready; read -r _ <>"$$.never"'

/** A directory with locks in it. */
class Place extends WorkingDirectory {
  readonly #pids: number[] = []

  constructor() {
    super('lock')
  }

  /** Holds a lock until this is disposed: the pid of the command that runs with it. */
  async hold(...args: readonly string[]): Promise<{ running: Running; pid: number }> {
    const running = this.start(...args, '--', 'sh', '-c', alone)
    await running.says('ready')
    const pid = Number(/^pid (\d+);$/m.exec(running.stdout)?.[1])
    this.#pids.push(pid)
    return { running, pid }
  }

  /** What flock(1) makes of it: 0 if it could have the lock at once, 1 if not. */
  async flock(mode: '-s' | '-x', name: string): Promise<number | null> {
    const [command = '', ...first] = flock ?? []
    const child = spawn(command, [...first, mode, '-n', this.file(name), 'true'])
    const [status] = (await once(child, 'close')) as [number | null]
    return status
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#pids) end(pid)
    await super[Symbol.asyncDispose]()
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

describe.concurrent('the exit status is that of the command', () => {
  test.each([
    ['0', ['true'], 0],
    ['3', ['sh', '-c', 'exit 3'], 3],
    ['75, though howdah has a meaning for it', ['sh', '-c', 'exit 75'], 75],
    ['SIGTERM: 143', ['sh', '-c', 'kill -TERM $$'], 143],
    ['SIGKILL: 137', ['sh', '-c', 'kill -KILL $$'], 137],
  ])('%s', async (_, command, status) => {
    await using place = new Place()
    expect(await place.run('a', '--', ...command)).toEqual({ status, stdout: '', stderr: '' })
  })

  test('127 when it is not found, 126 when it cannot be run, 125 when howdah itself fails', async () => {
    await using place = new Place()
    expect(await place.run('a', '--', 'no-such-command')).toEqual({
      status: 127,
      stdout: '',
      stderr: 'howdah: no-such-command: command not found\n',
    })
    writeFileSync(place.file('closed'), '#!/bin/sh\n', { mode: 0o644 })
    expect((await place.run('a', '--', './closed')).status).toBe(126)
    const { status, stderr } = await place.run('missing/a', '--', 'true')
    expect([status, stderr]).toEqual([125, expect.stringMatching(/^howdah: .*does not exist/)])
    expect(existsSync(place.file('missing'))).toBe(false)
  })

  test.each([
    [[], 'missing required argument'],
    [['', '--', 'true'], 'the path is empty'],
    [['a', '--json', '--', 'true'], '--json is for who holds it'],
    [['a', '--timeout', 'x', '--', 'true'], 'not a number of seconds'],
  ])('%j is used wrongly: status 2', async (args, why) => {
    await using place = new Place()
    const { status, stdout, stderr } = await place.run(...args)
    expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)])
  })
})

describe.concurrent('a lock', () => {
  test.skipIf(flock === null)(
    'excludes flock(1) while the command runs, and no longer',
    async () => {
      await using place = new Place()
      const { pid, running } = await place.hold('a')
      expect([await place.flock('-x', 'a'), await place.flock('-s', 'a')]).toEqual([1, 1])
      end(pid)
      expect((await running.result).status).toBe(137)
      // What the command has started may live a little longer, with the lock.
      await until('it is free', async () => (await place.flock('-x', 'a')) === 0)
    },
  )

  test.skipIf(flock === null)(
    'is shared with processes that share it, and with nobody else',
    async () => {
      await using place = new Place()
      await place.hold('--shared', 'a')
      expect([await place.flock('-s', 'a'), await place.flock('-x', 'a')]).toEqual([0, 1])
      expect((await place.run('--shared', 'a', '--', 'true')).status).toBe(0)
      expect((await place.run('--timeout', '0', 'a', '--', 'true')).status).toBe(125)
    },
  )

  test.skipIf(flock === null)('can be that of a directory', async () => {
    await using place = new Place()
    const { pid, running } = await place.hold('.')
    expect(await place.flock('-x', '.')).toBe(1)
    end(pid)
    await running.result
    expect(await place.flock('-x', '.')).toBe(0)
    expect(statSync(place.file('.')).isDirectory()).toBe(true)
  })

  test.skipIf(flock === null)('lasts as long as the command though howdah was killed', async () => {
    await using place = new Place()
    const { pid, running } = await place.hold('a')
    running.kill('SIGKILL')
    await once(running.child, 'exit')
    expect(await place.flock('-x', 'a')).toBe(1)
    const { stdout, stderr } = await place.run('a')
    expect([stdout, stderr]).toEqual([
      expect.stringMatching(`^holds  exclusive  pid ${pid} \\(sh -c .*\\)\n`),
      '',
    ])
    end(pid)
    await until('it is free', async () => (await place.flock('-x', 'a')) === 0)
  })

  test.skipIf(flock === null)('lasts as long as what the command has left running', async () => {
    await using place = new Place()
    const background = 'sleep 1000 >&- 2>&- & echo $!'
    const { status, stdout } = await place.run('a', '--', 'sh', '-c', background)
    expect([status, await place.flock('-x', 'a')]).toEqual([0, 1])
    end(Number(stdout))
    await until('it is free', async () => (await place.flock('-x', 'a')) === 0)
  })
})

const tellsHolders = linuxOnly('/proc/locks, which tells who holds a lock')
const handlers = linuxOnly('/proc, which tells for which signals a process has handlers')

describe.concurrent('who waits', () => {
  test('is told what it waits for, and gets it then', async () => {
    await using place = new Place()
    const { pid } = await place.hold('a')
    const second = place.start('a', '--', 'echo', 'mine')
    await until('it says so', () => second.stderr.endsWith('\n'))
    expect(second.stderr).toMatch(/^howdah: waiting for the lock on \S+\/a/)
    end(pid)
    const { status, stdout } = await second.result
    expect([status, stdout]).toEqual([0, 'mine\n'])
  })

  test('gives up after --timeout, with 125; --quiet says only that', async () => {
    await using place = new Place()
    await place.hold('a')
    const args = ['--quiet', '--timeout', '0.2', 'a', '--', 'echo', 'x']
    const { status, stdout, stderr } = await place.run(...args)
    expect([status, stdout]).toEqual([125, ''])
    expect(stderr).toMatch(/^howdah: the lock on \S+\/a was not acquired within 0\.2 s.*\n$/)
  })

  test('is told which processes it waits for, and gets it after them', tellsHolders, async () => {
    await using place = new Place()
    const { pid } = await place.hold('a')
    const second = place.start('a', '--', 'echo', 'mine')
    await until('it says so', () => second.stderr.endsWith('\n'))
    expect(second.stderr).toMatch(/^howdah: waiting for the lock on \S+\/a, held by pid \d+ \(/)
    expect(second.stderr).toContain(`pid ${pid} (sh -c `)
    expect(second.stdout).toBe('')
    end(pid)
    const { status, stdout } = await second.result
    expect([status, stdout]).toEqual([0, 'mine\n'])
  })

  test(
    'gives up after --timeout, with 125, and says who holds it; --quiet says only that',
    tellsHolders,
    async () => {
      await using place = new Place()
      const { pid } = await place.hold('a')
      for (const timeout of ['0', '0.2']) {
        const args = ['--quiet', '--timeout', timeout, 'a', '--', 'echo', 'x']
        const { status, stdout, stderr } = await place.run(...args)
        expect([status, stdout]).toEqual([125, ''])
        expect(stderr).toMatch(
          /^howdah: the lock on \S+\/a was not acquired within 0(\.2)? s, held by/,
        )
        expect(stderr).toContain(`pid ${pid} (sh -c `)
        expect(stderr.trim().split('\n')).toHaveLength(1)
      }
    },
  )

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is ended by %s: %i', handlers, async (signal, status) => {
    await using place = new Place()
    await place.hold('a')
    const second = place.start('--quiet', 'a', '--', 'echo', 'x')
    await until('it listens for signals', () => catches(second.child.pid ?? 0, 'SIGHUP'))
    second.kill(signal)
    expect(await second.result).toEqual({ status, stdout: '', stderr: '' })
  })
})

test.concurrent.each([
  ['SIGINT', 7],
  ['SIGTERM', 7],
  ['SIGHUP', 7],
] as const)('%s is passed on to the command, whose status it is', async (signal, status) => {
  await using place = new Place()
  const script = `trap 'echo heard; exit ${status}' ${signal.slice(3)}; ${forever}`
  const running = place.start('a', '--', 'sh', '-c', script)
  await running.says('ready')
  running.kill(signal)
  const result = await running.result
  expect([result.status, result.stdout.match(/heard/g)]).toEqual([status, ['heard']])
})

describe.concurrent('without a command', tellsHolders, () => {
  test('it says who holds it and who waits, and takes nothing', async () => {
    await using place = new Place()
    const { pid, running } = await place.hold('--shared', 'a')
    const waiting = place.start('a', '--', 'true')
    await until('it waits', () => waiting.stderr.endsWith('\n'))
    const { status, stdout, stderr } = await place.run('--json', 'a')
    const { path, holders, waiters } = JSON.parse(stdout)
    expect([status, stderr, path]).toEqual([0, '', place.file('a')])
    expect(holders.map((holder: { pid: number }) => holder.pid)).toEqual(
      expect.arrayContaining([running.child.pid, pid]),
    )
    expect(waiters).toMatchObject([{ pid: waiting.child.pid, mode: 'exclusive' }])
  })

  test('nobody is said on stderr, and no file is made', async () => {
    await using place = new Place()
    expect(await place.run('a')).toEqual({
      status: 0,
      stdout: '',
      stderr: `nobody holds the lock on ${place.file('a')}\n`,
    })
    expect(existsSync(place.file('a'))).toBe(false)
    const { stdout } = await place.run('a', '--json')
    expect(JSON.parse(stdout)).toEqual({
      path: place.file('a'),
      holders: [],
      waiters: [],
      unseen: null,
    })
  })
})

/** Whether a process has a handler for a signal; SIGHUP is the last that howdah gets one for, and Node has none by itself. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s*([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return ((BigInt(`0x${mask ?? '0'}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n
}

test.skipIf(flock === null)(
  'with --close, what the command leaves running does not hold the lock on',
  async () => {
    await using place = new Place()
    const left = 'sleep 60 >/dev/null 2>&1 & echo "pid $!;"'
    for (const [options, status] of [
      [[], 1],
      [['--close'], 0],
    ] as const) {
      const { stdout } = await place.run(...options, 'a', '--', 'sh', '-c', left)
      expect(await place.flock('-x', 'a')).toBe(status)
      end(Number(/^pid (\d+);$/m.exec(stdout)?.[1]))
    }
  },
)

test.skipIf(flock === null)('with --close the lock is held while the command runs', async () => {
  await using place = new Place()
  const { running } = await place.hold('--close', 'a')
  expect(await place.flock('-x', 'a')).toBe(1)
  running.kill('SIGTERM')
  await running.result
  expect(await place.flock('-x', 'a')).toBe(0)
})

test.each(['nodir/', 'nodir/.', './nodir//'])(
  'a slash at the end means a directory, and no file is made: %s',
  async (name) => {
    await using place = new Place()
    const { status, stderr } = await place.run(name, '--', 'true')
    expect(status).toBe(125)
    expect(stderr).toMatch(/^howdah: cannot open the directory .*nodir: .*does not exist/)
    expect(existsSync(place.file('nodir'))).toBe(false)
  },
)

const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const
const canUnshare = spawnSync(unshare[0], [...unshare.slice(1), 'true']).status === 0

describe.skipIf(!canUnshare)(
  'inside of a pid namespace (skipped without the right to make one)',
  () => {
    const unseen =
      'somebody who cannot be seen from here, such as a process outside of this container'

    test('a lock that is held outside is held by somebody who cannot be seen', async () => {
      await using place = new Place()
      await place.hold('a')
      const by = { by: unshare }
      const told = await start(place.file('.'), ['lock', 'a'], by).result
      expect(told).toEqual({ status: 0, stdout: `holds  exclusive  ${unseen}\n`, stderr: '' })
      const json = await start(place.file('.'), ['lock', 'a', '--json'], by).result
      expect(JSON.parse(json.stdout)).toMatchObject({ holders: [], unseen: 'exclusive' })
      const late = await start(place.file('.'), ['lock', 'a', '--timeout', '0', '--', 'true'], by)
        .result
      expect([late.status, late.stderr]).toEqual([
        125,
        expect.stringContaining(`held by ${unseen};`),
      ])
    })

    test('nobody holds a free lock', async () => {
      await using place = new Place()
      await place.run('a', '--', 'true')
      const told = await start(place.file('.'), ['lock', 'a'], { by: unshare }).result
      expect(told.stderr).toBe(`nobody holds the lock on ${place.file('a')}\n`)
    })
  },
)
