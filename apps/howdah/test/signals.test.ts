import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processesIn, Project, type Running } from './project.ts'

const child = ['exec', process.execPath, fileURLToPath(new URL('child.mjs', import.meta.url))]

/** A cluster is in there, which is stopped before and after each test. */
let project: Project
beforeAll(async () => {
  project = new Project()
  await project.howdah(['exec', 'true'])
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

/** The process id of the child, as it says. */
function pidOf(running: Running): number {
  return Number(/pid (\d+)/.exec(running.stdout)?.[1])
}

/** Sends signals, each after the one before was heard. */
async function send(running: Running, ...signals: NodeJS.Signals[]): Promise<void> {
  for (const [index, signal] of signals.entries()) {
    running.kill(signal)
    await until(`signal ${index} was heard`, () => running.stdout.split('heard').length > index + 1)
  }
}

describe('without a terminal', () => {
  test.each([
    ['SIGTERM', 9],
    ['SIGHUP', 9],
    ['SIGINT', 9],
    ['SIGQUIT', 9],
    ['SIGUSR1', 9],
    ['SIGUSR2', 9],
    ['SIGWINCH', 9],
    ['SIGCONT', 9],
  ] as const)('%s is passed on, once, and the status is the command’s', async (signal, status) => {
    const running = project.start([...child, `${signal}=${status}`])
    await running.says('ready')
    running.kill(signal)
    expect(await running.result).toEqual({
      status,
      stdout: expect.stringMatching(`^ready, pid \\d+\nheard ${signal}\n$`),
      stderr: '',
    })
    await project.isQuiet()
  })

  test('howdah outlives what the command outlives', async () => {
    const running = project.start([...child, 'SIGTERM*5=9'])
    await running.says('ready')
    await send(running, 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTERM')
    const { status, stdout } = await running.result
    expect([status, stdout.match(/heard/g)]).toEqual([9, Array(5).fill('heard')])
    await project.isQuiet()
  })

  test('a program that shuts down gracefully at SIGUSR2, as under nodemon, has its database until its end', async () => {
    const script = `process.once('SIGUSR2', () => {
        const { Client } = require('pg')
        const client = new Client(process.env.DATABASE_URL)
        client.connect().then(() => client.query('SELECT 1 AS one')).then(async ({ rows }) => {
          await client.end()
          process.stdout.write('said ' + rows[0].one, () => process.kill(process.pid, 'SIGUSR2'))
        })
      }); setInterval(() => undefined, 1000); console.log('ready')`
    const env = { NODE_PATH: fileURLToPath(new URL('../node_modules', import.meta.url)) }
    const running = project.start(['exec', '--', process.execPath, '-e', script], { env })
    await running.says('ready')
    running.kill('SIGUSR2')
    expect(await running.result).toEqual({ status: 140, stdout: 'ready\nsaid 1', stderr: '' })
    await project.isQuiet()
  })

  test('two Ctrl-C skip the tidying, and the server is stopped all the same', async () => {
    const running = project.start([...child, 'SIGINT*2=9'])
    await running.says('ready')
    await send(running, 'SIGINT', 'SIGINT')
    expect((await running.result).status).toBe(9)
    await project.isQuiet()
    expect((await project.howdah(['exec', 'true'])).status).toBe(0)
  })
})

describe('before the command runs', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGUSR2', 140],
  ] as const)(
    '%s while the cluster is made leaves nothing half-made: %i',
    async (signal, status) => {
      await using fresh = new Project()
      const running = fresh.start([...child])
      await until('it is at work', () => existsSync(fresh.file('.howdah')))
      running.kill(signal)
      const result = await running.result
      expect(result).toEqual({ status, stdout: '', stderr: '' })
      await fresh.isQuiet()
      expect((await fresh.howdah(['exec', 'true'])).status).toBe(0)
    },
  )
})

describe('SIGKILL of howdah', () => {
  test('stops the server, though the command lives on, and the next one works', async () => {
    const running = project.start([...child])
    await running.says('ready')
    expect(processesIn(project.dataDir)).not.toEqual([])
    running.kill('SIGKILL')
    await until('the server is gone', () => processesIn(project.dataDir).length === 0, 20_000)
    expect((await project.howdah(['exec', 'true'])).status).toBe(0)
    process.kill(pidOf(running), 'SIGKILL')
    expect((await running.result).status).toBeNull()
  })

  test('with --destroy takes the cluster that it made along', async () => {
    await using fresh = new Project()
    const running = fresh.start(['exec', '--destroy', ...child.slice(1)])
    await running.says('ready')
    running.kill('SIGKILL')
    process.kill(pidOf(running), 'SIGKILL')
    // As root, the server's user cannot remove the directory itself.
    await until('the cluster is gone', () => isEmpty(fresh.dataDir), 20_000)
    await fresh.isQuiet()
    expect((await fresh.howdah(['status'])).stdout).toMatch(/^state +missing/)
  })
})

const python = hasPython()

describe.runIf(python)('in a terminal', () => {
  const by = ['python3', fileURLToPath(new URL('terminal.py', import.meta.url))]

  test('Ctrl-C reaches the command once, by the terminal', async () => {
    const running = project.start([...child, 'SIGINT=9'], { by, input: null })
    await running.says('ready')
    running.child.stdin?.write('\u0003')
    const { status, stdout } = await running.result
    expect([status, stdout.match(/heard \w+/g)]).toEqual([9, ['heard SIGINT']])
    expect(stdout).toContain('stopping…')
    await project.isQuiet()
  })

  test('Ctrl-C twice: the second skips the tidying', async () => {
    const running = project.start([...child, 'SIGINT*2=9'], { by, input: null })
    await running.says('ready')
    running.child.stdin?.write('\u0003')
    await running.says('heard SIGINT')
    // The kernel makes one of two signals if the first is still pending when the second comes.
    await until('howdah has heard it, too', () => !hasPendingSigint(parentOf(pidOf(running))))
    running.child.stdin?.write('\u0003')
    const { status, stdout } = await running.result
    expect([status, stdout.match(/heard \w+/g)]).toEqual([9, ['heard SIGINT', 'heard SIGINT']])
    expect(stdout).not.toContain('stopping…')
    await project.isQuiet()
  })

  test('SIGTERM is passed on', async () => {
    const running = project.start([...child, 'SIGTERM=9'], { by, input: null })
    await running.says('ready')
    process.kill(parentOf(pidOf(running)), 'SIGTERM')
    const { status, stdout } = await running.result
    expect([status, stdout.match(/heard \w+/g)]).toEqual([9, ['heard SIGTERM']])
  })

  test('closing it is passed on, and nothing stays', async () => {
    const running = project.start([...child, 'SIGHUP=9'], { by, input: null })
    await running.says('ready')
    running.kill('SIGKILL')
    await running.result
    await project.isQuiet()
    expect((await project.howdah(['status'])).stdout).toMatch(/^state +stopped/)
  })
})

function isEmpty(directory: string): boolean {
  return !existsSync(directory) || readdirSync(directory).length === 0
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }))
}

/** Whether SIGINT was sent to a process that has not run since. Source: proc_pid_status(5). */
function hasPendingSigint(pid: number): boolean {
  if (process.platform !== 'linux') return false
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const pending = /^ShdPnd:\t(\w+)$/m.exec(status)?.[1] ?? '0'
  return (BigInt(`0x${pending}`) & 2n) !== 0n
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}
