// Mostly waits: for leases to end.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  createFileLeaser,
  runCommandWithLease,
  type CommandResult,
  type LeaseError,
} from '@howdah/lease'
import { nowInShell, temporaryDirectory, until } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { Crew } from './crew.ts'
import { refusalOf } from './describe-leaser.ts'
import { openLeaser, type Place } from './open-leaser.mjs'

/** Long enough to be renewed in time on a slow, busy disk. */
const ttl = 5_000

/** A lease in a directory of a test's own, and a process that can be stopped and killed. */
function setUp() {
  const directory = temporaryDirectory()
  const crew = new Crew(1)
  const place: Place = { backend: 'file', dir: directory.path, ttl, maxTtl: ttl, clockSkew: 0 }
  return {
    directory,
    worker: crew.workers[0]!,
    place,
    leaser: createFileLeaser({ dir: directory.path, ttl, maxTtl: ttl, clockSkew: 0 }),
    [Symbol.asyncDispose]: async () => {
      await crew[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

/** Writes the time in ms into a file again and again, whatever SIGTERM says; its child does too. */
const stubborn = (path: string) =>
  `trap '' TERM; beat() { while :; do ${nowInShell} >> '${path}'; sleep 0.02; done; }; beat & beat`

/** The last time that a beating command was there. */
function lastBeat(path: string): number {
  return Number(readFileSync(path, 'utf8').trim().split('\n').at(-1))
}

async function untilWritten(path: string): Promise<void> {
  await until('it says something', () => readFileSync(path, { flag: 'a+' }).length > 0)
}

async function untilGone(pid: number): Promise<void> {
  await until('the command’s process group is empty', () => {
    try {
      process.kill(-pid, 0)
      return false
    } catch {
      return true
    }
  })
}

describe.concurrent('a command under a lease', () => {
  test.each([0, 1, 42])('gives back its status %i, and the lease', async (status) => {
    await using at = setUp()
    const result = await runCommandWithLease(at.leaser, 'sh', ['-c', `exit ${status}`])
    expect(result).toEqual({ status, signal: null, lost: null })
    expect(await at.leaser.inspect()).toMatchObject({ held: false })
  })

  test('gives back the signal that ended it', async () => {
    await using at = setUp()
    const result = await runCommandWithLease(at.leaser, 'sh', ['-c', 'kill -USR1 $$'])
    expect(result).toEqual({ status: null, signal: 'SIGUSR1', lost: null })
  })

  test('has the caller’s directory and environment, and nothing of the helper’s', async () => {
    await using at = setUp()
    const path = at.directory.file('env')
    const env = { PATH: process.env['PATH'], ONLY: 'this one', NODE_OPTIONS: '--no-such-option' }
    const script = `pwd > '${path}'; env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' | sort >> '${path}'; [ ! -d /proc/$$ ] || ls /proc/$$/fd >> '${path}'`
    const { status } = await runCommandWithLease(at.leaser, 'sh', ['-c', script], {
      cwd: at.directory.path,
      env,
    })
    expect(status).toBe(0)
    const [cwd, ...rest] = readFileSync(path, 'utf8').trim().split('\n')
    expect(cwd).toBe(at.directory.path)
    const variables = rest.filter((line) => line.includes('='))
    expect(variables).toEqual([
      `NODE_OPTIONS=--no-such-option`,
      'ONLY=this one',
      `PATH=${env.PATH}`,
    ])
    // Only Linux tells which descriptors it has.
    const descriptors = rest.filter((line) => /^\d+$/.test(line)).map(Number)
    // dash keeps the script's own at 10 and above.
    expect(descriptors.filter((descriptor) => descriptor > 2 && descriptor < 10)).toEqual([])
  })

  test('can have the fencing token in its environment', async () => {
    await using at = setUp()
    const path = at.directory.file('token')
    const script = `echo "$TOKEN of $OWNER" > '${path}'`
    const { status } = await runCommandWithLease(at.leaser, 'sh', ['-c', script], {
      env: ({ lease }) => ({ ...process.env, TOKEN: `${lease.generation}`, OWNER: lease.owner }),
    })
    expect(status).toBe(0)
    const { generation, owner } = (await at.leaser.inspect())!
    expect(readFileSync(path, 'utf8')).toBe(`${generation} of ${owner}\n`)
  })

  test.each([
    ['no-such-command-anywhere', 'ENOENT'],
    ['/etc', 'EACCES'],
  ])('says why %s cannot be run: %s', async (command, errno) => {
    await using at = setUp()
    expect(await refusalOf(runCommandWithLease(at.leaser, command))).toMatchObject({
      code: 'ERR_LEASE_COMMAND',
      errno,
    })
    expect(await at.leaser.inspect()).toMatchObject({ held: false })
  })

  test('runs on for longer than the ttl, while nobody else gets the lease', async () => {
    await using at = setUp()
    const script = `sleep ${(ttl / 1_000) * 1.5}`
    const running = runCommandWithLease(at.leaser, 'sh', ['-c', script])
    await until('it is held', async () => (await at.leaser.inspect())?.held)
    const other = await refusalOf(runCommandWithLease(at.leaser, 'true', [], { timeout: 0 }))
    expect(other).toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })
    expect(await running).toMatchObject({ status: 0, lost: null })
  })

  test('is passed signals on, to the whole group', async () => {
    await using at = setUp()
    const path = at.directory.file('ready')
    const script = `trap 'exit 7' INT; echo > '${path}'; while :; do sleep 0.02; done`
    const result = await runCommandWithLease(at.leaser, 'sh', ['-c', script], {
      onStart: ({ kill }) => void untilWritten(path).then(() => kill('SIGINT')),
    })
    expect(result).toMatchObject({ status: 7 })
  })

  test('is ended when its caller aborts: by SIGTERM, and by SIGKILL after the grace period', async () => {
    await using at = setUp()
    const path = at.directory.file('beats')
    const controller = new AbortController()
    const running = runCommandWithLease(at.leaser, 'sh', ['-c', stubborn(path)], {
      grace: 300,
      signal: controller.signal,
      onStart: () => void untilWritten(path).then(() => controller.abort()),
    })
    expect(await running).toEqual({ status: null, signal: 'SIGKILL', lost: null })
  })

  test.each([
    // The holder goes on, and says what became of its command.
    ['SIGSTOP', { signal: 'SIGKILL', lost: { code: 'ERR_LEASE_LOST' } }],
    ['SIGKILL', { message: 'the worker ended with SIGKILL' }],
  ] as const)(
    'has ended, with its children, before the lease can be lost, when the holder gets %s',
    async (signal, expected) => {
      await using at = setUp()
      const path = at.directory.file('beats')
      const result = at.worker
        .ask('command', { place: at.place, command: 'sh', args: ['-c', stubborn(path)] })
        .catch((error: Error) => error)
      const { pid } = (await at.worker.event('started')) as { pid: number }
      // At some instant after the first renewals, so that the deadline had been moved on.
      const first = (await at.leaser.inspect())!.expiresAt
      await until('it is renewed', async () => (await at.leaser.inspect())!.expiresAt > first, ttl)
      at.worker.signal(signal)
      await untilGone(pid)
      const { expiresAt } = (await at.leaser.inspect())!
      expect(lastBeat(path)).toBeLessThan(expiresAt.getTime())
      at.worker.signal('SIGCONT')
      expect(await result).toMatchObject(expected)
    },
  )

  test('gets SIGTERM a grace period before the end, and may tidy up in it', async () => {
    await using at = setUp()
    const path = at.directory.file('told')
    const script = `trap "${nowInShell} > '${path}'; exit 3" TERM; while :; do sleep 0.02; done`
    const options = { grace: 2_000 }
    const result = at.worker.ask<CommandResult>('command', {
      place: at.place,
      command: 'sh',
      args: ['-c', script],
      options,
    })
    const { pid } = (await at.worker.event('started')) as { pid: number }
    at.worker.signal('SIGSTOP')
    await untilGone(pid)
    const { expiresAt } = (await at.leaser.inspect())!
    expect(lastBeat(path)).toBeLessThan(expiresAt.getTime())
    at.worker.signal('SIGCONT')
    expect(await result).toMatchObject({ status: 3, lost: { code: 'ERR_LEASE_LOST' } })
  })

  test.each([-1, Number.NaN, ttl, ttl * 0.7])(
    'is refused a grace period of %s ms',
    async (grace) => {
      await using at = setUp()
      expect(await refusalOf(runCommandWithLease(at.leaser, 'true', [], { grace }))).toMatchObject({
        code: 'ERR_LEASE_OPTION',
      })
      expect(await at.leaser.inspect()).toBeNull()
    },
  )

  test('is killed at once when the lease is another’s', async () => {
    await using at = setUp()
    const path = at.directory.file('beats')
    const result = await runCommandWithLease(at.leaser, 'sh', ['-c', stubborn(path)], {
      onStart: () => void at.leaser.reset(),
    })
    expect(result.signal).toBe('SIGKILL')
    expect((result.lost as LeaseError).cause).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
  })

  test('is killed at once when its helper is', async () => {
    await using at = setUp()
    const path = at.directory.file('beats')
    let group = 0
    const running = runCommandWithLease(at.leaser, 'sh', ['-c', stubborn(path)], {
      onStart: ({ pid }) => {
        group = pid
        process.kill(parentOf(pid), 'SIGKILL')
      },
    })
    expect(await refusalOf(running)).toMatchObject({ code: 'ERR_LEASE_COMMAND' })
    await untilGone(group)
  })

  test('outlives nothing that is sent to its helper: SIGTERM ends the command first', async () => {
    await using at = setUp()
    const running = runCommandWithLease(at.leaser, 'sleep', ['60'], {
      onStart: ({ pid }) => void process.kill(parentOf(pid), 'SIGTERM'),
    })
    expect(await running).toMatchObject({ signal: 'SIGTERM', lost: null })
  })

  test('without the helper would run on: the negative control', async () => {
    await using at = setUp()
    const path = at.directory.file('beats')
    writeFileSync(path, '')
    const { spawn } = await import('node:child_process')
    const child = spawn('sh', ['-c', stubborn(path)], { detached: true, stdio: 'ignore' })
    try {
      const leaser = await openLeaser(at.place)
      const { expiresAt } = await leaser.acquire()
      const end = expiresAt.getTime()
      await until('the lease is over', () => Date.now() > end)
      const since = Date.now()
      expect(await until('it runs on', () => lastBeat(path) > since)).toBe(true)
    } finally {
      process.kill(-child.pid!, 'SIGKILL')
    }
    await untilGone(child.pid!)
  })
})

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-p', String(pid), '-o', 'ppid='], { encoding: 'utf8' }))
}
