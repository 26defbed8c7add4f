import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { nowInShell, until } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { Project, type Running, start } from './project.ts'
import { WorkingDirectory } from './working-directory.ts'

/** In seconds: short, and more than the 5 that clocks may be apart. */
const ttl = ['--ttl', '8'] as const
/** Says with what generation it runs, and goes on for ever. */
const forever = 'echo "generation $HOWDAH_LEASE_GENERATION"; while :; do sleep 0.05; done'

/** With what generation the command runs. */
async function generationOf(running: Running): Promise<number> {
  await running.says('generation')
  await until('the line is whole', () => /generation \d+\n/.test(running.stdout))
  return Number(/generation (\d+)\n/.exec(running.stdout)?.[1])
}

describe('the exit status is that of the command', () => {
  test.concurrent.each([
    ['0', ['true'], 0],
    ['3', ['sh', '-c', 'exit 3'], 3],
    ['75, though howdah has a meaning for it', ['sh', '-c', 'exit 75'], 75],
    ['SIGTERM: 143', ['sh', '-c', 'kill -TERM $$'], 143],
    ['SIGKILL: 137', ['sh', '-c', 'kill -KILL $$'], 137],
  ])('%s', async (_, command, status) => {
    await using place = new WorkingDirectory('lease')
    expect(await place.run('a', '--', ...command)).toEqual({ status, stdout: '', stderr: '' })
  })

  test.concurrent('127 when it is not found, 126 when it cannot be run', async () => {
    await using place = new WorkingDirectory('lease')
    expect(await place.run('a', '--', 'no-such-command')).toEqual({
      status: 127,
      stdout: '',
      stderr: 'howdah: no-such-command: command not found\n',
    })
    writeFileSync(place.file('closed'), '#!/bin/sh\n', { mode: 0o644 })
    const { status, stderr } = await place.run('a', '--', './closed')
    expect([status, stderr]).toEqual([126, expect.stringMatching(/^howdah: .*\.\/closed.*EACCES/)])
  })

  test.concurrent('125 when howdah itself fails: no such directory, nobody at the address', async () => {
    await using place = new WorkingDirectory('lease')
    const none = await place.run('--in', 'missing', 'a', '--', 'true')
    expect([none.status, none.stderr]).toEqual([125, expect.stringContaining('does not exist')])
    expect(existsSync(place.file('missing'))).toBe(false)
    for (const at of ['etcd://127.0.0.1:1/x', 'postgres://me@127.0.0.1:1/x']) {
      const { status, stderr } = await place.run('--in', at, 'a', '--', 'true')
      expect([status, stderr]).toEqual([
        125,
        expect.stringMatching(/^howdah: the store of the lease/),
      ])
    }
  })
})

test.concurrent.each([
  [['a'], 'say which command to run'],
  [['--', 'true'], 'missing required argument'],
  [['a', 'true'], 'a command stands after --'],
  [['../a', '--', 'true'], "a lease's name is"],
  [['a', '--ttl', '31', '--', 'true'], 'at most 30'],
  [['a', '--ttl', '2', '--', 'true'], 'leaves its holder no time'],
  [['a', '--grace', '60', '--', 'true'], 'grace must be'],
  [['a', '--in', 'ftp://host/x', '--', 'true'], 'leases are kept in'],
  [['a', '--in', 's3://', '--', 'true'], 'write it as s3://bucket/prefix'],
])('%j is used wrongly: status 2', async (args, why) => {
  await using place = new WorkingDirectory('lease')
  const { status, stdout, stderr } = await place.run(...args)
  expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)])
})

describe.concurrent('the command', () => {
  test('has our streams, its own flags, our directory and who holds the lease', async () => {
    await using place = new WorkingDirectory('lease')
    mkdirSync(place.file('sub'))
    const script = 'cat; echo "$1" "$HOWDAH_LEASE_OWNER" "$MINE" >&2; pwd'
    const args = ['lease', '--owner', 'the mahout', 'a', '--', 'sh', '-c', script, 'sh', '--ttl']
    const options = { input: 'a\nb\n', env: { MINE: 'kept' } }
    expect(await start(place.file('sub'), args, options).result).toEqual({
      status: 0,
      stdout: `a\nb\n${place.file('sub')}\n`,
      stderr: '--ttl the mahout kept\n',
    })
    expect(readFileSync(place.file('sub/.howdah/.gitignore'), 'utf8')).toBe('*\n')
  })

  test('has a higher generation each time, and each lease its own', async () => {
    await using place = new WorkingDirectory('lease')
    const generation = async (name: string) => {
      const { stdout } = await place.run(name, '--', 'sh', '-c', 'echo $HOWDAH_LEASE_GENERATION')
      return Number(stdout)
    }
    const [first, second] = [await generation('a'), await generation('a')]
    expect(second).toBeGreaterThan(first)
    expect(await generation('b')).toBe(first)
  })

  test.each([
    ['SIGINT', 7],
    ['SIGTERM', 7],
    ['SIGHUP', 7],
  ] as const)('is passed %s on, and the status is its own', async (signal, status) => {
    await using place = new WorkingDirectory('lease')
    const script = `trap 'echo heard; exit ${status}' ${signal.slice(3)}; ${forever}`
    const running = place.start('a', '--', 'sh', '-c', script)
    await generationOf(running)
    running.kill(signal)
    const result = await running.result
    expect([result.status, result.stdout.match(/heard/g)]).toEqual([status, ['heard']])
  })
})

describe.concurrent('a second howdah lease', () => {
  test('waits until the first has ended, and then has a higher generation', async () => {
    await using place = new WorkingDirectory('lease')
    const first = place.start(
      'a',
      '--',
      'sh',
      '-c',
      `trap 'echo over > done; exit 0' TERM; ${forever}`,
    )
    const generation = await generationOf(first)
    const second = place.start('a', '--', 'sh', '-c', `cat done; ${forever}`)
    const other = await place.run('b', '--', 'true')
    expect([other.status, second.stdout]).toEqual([0, ''])
    first.kill('SIGTERM')
    expect((await first.result).status).toBe(0)
    expect(await generationOf(second)).toBeGreaterThan(generation)
    expect(second.stdout).toMatch(/^over\n/)
  })

  test('gives up after --timeout, with 125, and says who holds it', async () => {
    await using place = new WorkingDirectory('lease')
    await generationOf(place.start('a', '--owner', 'the mahout', '--', 'sh', '-c', forever))
    const { status, stdout, stderr } = await place.run('a', '--timeout', '1', '--', 'echo', 'x')
    expect([status, stdout, stderr]).toEqual([
      125,
      '',
      expect.stringMatching(
        /^howdah: waiting for the lease .*, held by the mahout, .*\nhowdah: the lease was not acquired .* is held by the mahout/,
      ),
    ])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is ended by %s while it waits: %i', async (signal, status) => {
    await using place = new WorkingDirectory('lease')
    await generationOf(place.start('a', '--', 'sh', '-c', forever))
    const second = place.start('a', '--', 'echo', 'x')
    await until('it says so', () => second.stderr.endsWith('\n'))
    await until('it listens for signals', () => catches(second.child.pid ?? 0, 'SIGHUP'))
    second.kill(signal)
    const waiting = expect.stringMatching(/^howdah: waiting for the lease .*\n$/)
    expect(await second.result).toEqual({ status, stdout: '', stderr: waiting })
  })
})

describe.concurrent('before the lease can be lost', () => {
  /** Writes the time in ms again and again, whatever SIGTERM says. */
  const stubborn = `trap '' TERM; echo "generation $HOWDAH_LEASE_GENERATION"
    while :; do ${nowInShell} >> beats; sleep 0.02; done`

  test.each([
    ['SIGKILL', null, /^$/],
    // It goes on, and says what became of its command.
    ['SIGSTOP', 125, /^howdah: .*is lost/m],
  ] as const)(
    'the command has ended, though howdah got %s, and another gets it',
    async (signal, ownStatus, words) => {
      await using place = new WorkingDirectory('lease')
      const first = place.start('a', ...ttl, '--', 'sh', '-c', stubborn)
      const generation = await generationOf(first)
      const next = `${nowInShell} > since; echo "generation $HOWDAH_LEASE_GENERATION"`
      const second = place.start('a', ...ttl, '--', 'sh', '-c', next)
      first.kill(signal)
      const { status } = await second.result
      expect([status, await generationOf(second)]).toEqual([0, generation + 1])
      const read = (name: string) => readFileSync(place.file(name), 'utf8').trim().split('\n')
      expect(Number(read('beats').at(-1))).toBeLessThan(Number(read('since')[0]))
      const beats = read('beats').length
      first.kill('SIGCONT')
      const result = await first.result
      expect([result.status, result.stderr]).toEqual([ownStatus, expect.stringMatching(words)])
      expect(read('beats')).toHaveLength(beats)
    },
  )
})

test('leases are kept in PostgreSQL, too', async () => {
  await using project = new Project()
  const script = `exec "$NODE" "$BIN" lease --in "$DATABASE_URL" a -- sh -c 'echo $HOWDAH_LEASE_GENERATION'`
  const env = { NODE: process.execPath, BIN: new URL('../dist/bin.cjs', import.meta.url).pathname }
  const once = async () => await project.howdah(['exec', 'sh', '-c', script], { env })
  expect(await once()).toEqual({ status: 0, stdout: '1\n', stderr: '' })
  expect(await once()).toEqual({ status: 0, stdout: '2\n', stderr: '' })
})

/** Whether a process has a handler for a signal; SIGHUP is the last that howdah gets one for, and Node has none by itself. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  if (process.platform !== 'linux') return true // Nobody tells, and so the signal may come too early.
  const mask = /^SigCgt:\s*([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return ((BigInt(`0x${mask ?? '0'}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n
}
