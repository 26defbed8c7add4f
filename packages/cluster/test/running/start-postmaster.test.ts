import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess } from '@howdah/lock'
import { DataDirectory } from '@howdah/data-directory'
import { Runtime, Version } from '@howdah/runtime'
import type { Launch, LaunchRequest } from '@howdah/coordinate'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startPostmaster, type StartOptions } from '../../src/running/start.ts'

let home: TemporaryDirectory
let directory: DataDirectory
let runtime: Runtime
/** What was launched, in its order. */
let launched: LaunchRequest[]
let children: ChildProcess[]
/** Called when a server was launched, before that is told. */
let onLaunch: (child: ChildProcess) => void

beforeEach(async () => {
  home = temporaryDirectory()
  directory = new DataDirectory(home.file('data'))
  for (const name of ['', 'base', 'global']) mkdirSync(directory.file(name))
  writeFileSync(directory.versionFile, '18\n')
  mkdirSync(home.file('bin'))
  launched = []
  children = []
  onLaunch = () => {}
  server('')
  runtime = await Runtime.at(home.file('bin'), { version: Version.parse('18.0') })
})

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  home[Symbol.dispose]()
})

/** A server of a test's own making: a script, which can write the pid file anew as a server does. */
function server(script: string): void {
  const prelude = `
    tell() {
      echo "told $1" >>'${home.file('log')}'
      printf '%s\\n' $$ . $(date +%s) 5432 . '' '' "$1" >pid.new; mv pid.new postmaster.pid
    }
    tries() { echo x >>'${home.file('tries')}'; wc -l <'${home.file('tries')}'; }`
  for (const name of ['postgres', 'initdb', 'pg_ctl']) {
    writeFileSync(home.file('bin', name), `#!/bin/sh\n${prelude}\n${script}\n`)
    chmodSync(home.file('bin', name), 0o755)
  }
}

const launch: Launch = {
  spawn: async (request) => {
    launched.push(request)
    const { command, args, cwd, env, stdio } = request
    const child = spawn(command, args, {
      cwd,
      env: { ...env, PATH: process.env['PATH'] },
      stdio: [...stdio],
    })
    children.push(child)
    await once(child, 'spawn')
    record(child)
    onLaunch(child)
    return child
  },
}

/** As a launcher records what it launches. */
function record({ pid }: ChildProcess): void {
  const identity = identifyProcess(pid ?? 0)
  if (identity === null) return
  const { dev, ino } = statSync(directory.path)
  const fields = {
    pid,
    start: identity.startTime,
    boot: identity.bootId,
    namespace: identity.pidNamespace,
    of: `${dev}:${ino}`,
    signal: 'SIGINT',
  }
  // What a system does not have, such as pid namespaces, is left out.
  const known = Object.entries(fields).filter(([, value]) => value !== null)
  const lines = known.map(([key, value]) => `${key} ${value}\n`)
  writeFileSync(directory.record, lines.join(''))
}

const start = async (options: StartOptions = {}) =>
  await startPostmaster(directory, runtime, null, launch, options)
const log = () => (existsSync(home.file('log')) ? readFileSync(home.file('log'), 'utf8') : '')
/** The value of each setting that a server was started with; the last one counts. */
function settingsOf({ args }: LaunchRequest): Record<string, string> {
  return Object.fromEntries(
    args.flatMap((arg) => (/^\w+=/.test(arg) ? [arg.split(/=(.*)/s).slice(0, 2)] : [])) as [
      string,
      string,
    ][],
  )
}
const pidFile = (pid: number | undefined) =>
  writeFileSync(directory.pidFile, `${pid}\n.\n1\n5432\n.\n\n\nready\n`)

describe('a server is there', () => {
  it('when it says in its own file that it is ready', async () => {
    server('tell starting; sleep 0.1; tell ready; exec sleep 600')
    await start()
    expect(log()).toBe('told starting\ntold ready\n')
  })

  it('and not when the file of an earlier one says so, though that names its very pid', async () => {
    server(`sleep 0.3; tell ready; exec sleep 600`)
    const dead = spawn('true')
    await once(dead, 'exit')
    pidFile(dead.pid)
    // In a container that was started anew. It is the same file: a server makes another one.
    onLaunch = ({ pid }) => pidFile(pid)
    await start()
    expect(log()).toBe('told ready\n')
  })

  it('and not when that of another does', async () => {
    server(`sleep 0.3; tell ready; exec sleep 600`)
    onLaunch = () => pidFile(process.pid)
    await start()
    expect(log()).toBe('told ready\n')
  })

  it.each([
    ['ended', 'echo no luck >&2; exit 3', 'it ended with status 3'],
    ['was killed', 'echo no luck >&2; kill -KILL $$', 'it was killed by SIGKILL'],
  ])('never if it %s, which is told with its words', async (_, script, how) => {
    appendFileSync(directory.logFile, 'of an earlier server\n')
    server(script)
    const failure = await start().catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'ERR_CLUSTER_START_FAILED',
      message: expect.stringContaining(how),
      log: 'no luck',
    })
    expect(launched).toHaveLength(1)
  })

  it('never if that takes too long: it is told to quit, and gone', async () => {
    server(`trap '' INT; tell starting; while :; do sleep 0.1; done`)
    await expect(start({ timeout: 2_000 })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_START_FAILED',
      message: expect.stringContaining('it was not ready in time, and was stopped'),
    })
    const [child] = children
    await until('it is gone', () => child?.signalCode !== null || child.exitCode !== null)
    expect(child?.signalCode).toBe('SIGQUIT')
    expect(launched).toHaveLength(1)
  })
})

describe('a server is started again', () => {
  it.each([
    ['the pid in a file that was left is taken', 'lock file "postmaster.pid" already exists'],
    ['the kernel has semaphores later', 'could not create semaphores: Invalid argument'],
    ['others have its shared memory', 'pre-existing shared memory block is still in use'],
  ])('if %s', async (_, words) => {
    server(`[ "$(tries)" -gt 2 ] || { echo '${words}' >&2; exit 1; }; tell ready; exec sleep 600`)
    await start()
    expect(launched).toHaveLength(3)
  })

  it('by what its last words show, and not by those of an earlier one', async () => {
    appendFileSync(directory.logFile, 'lock file "postmaster.pid" already exists\n')
    server('echo no luck >&2; exit 1')
    await expect(start()).rejects.toMatchObject({ log: 'no luck' })
    expect(launched).toHaveLength(1)
  })

  it('ten times at most, and not for longer than it may take', async () => {
    server(`tries; echo 'lock file "postmaster.pid" already exists' >&2; exit 1`)
    await expect(start()).rejects.toMatchObject({ code: 'ERR_CLUSTER_START_FAILED' })
    expect(launched).toHaveLength(10)
    launched = []
    await expect(start({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_CLUSTER_START_FAILED' })
    expect(launched).toHaveLength(1)
  })

  const taken = 'could not bind IPv4 address "127.0.0.1": Address already in use'

  it('at another port if its own is taken, also if it goes without', async () => {
    server(`[ "$(tries)" -gt 1 ] || { echo '${taken}' >&2; exit 1; }
      [ "$(tries)" -gt 3 ] || echo '${taken}' >&2
      tell ready; exec sleep 600`)
    await start({ tcp: true })
    expect(launched).toHaveLength(3)
    const ports = launched.map((one) => settingsOf(one)['port'])
    expect(new Set(ports).size).toBe(3)
    // The one without its port did not stay.
    expect(
      children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null),
    ).toHaveLength(1)
  })

  it('never at another one than was asked for', async () => {
    server(`echo '${taken}' >&2; exit 1`)
    await expect(start({ tcp: 5432 })).rejects.toMatchObject({ code: 'ERR_CLUSTER_PORT_TAKEN' })
    expect(launched).toHaveLength(1)
  })
})

describe('a server is started with', () => {
  beforeEach(() => server('tell ready; exec sleep 600'))

  it('what is settled for every start, which nothing overrides', async () => {
    await start({ settings: { work_mem: '5MB', unix_socket_directories: '/elsewhere' } })
    const [request] = launched
    expect(request).toMatchObject({ signal: 'SIGINT', stillness: 3000 })
    expect(request && settingsOf(request)).toEqual({
      work_mem: '5MB',
      unix_socket_directories: '/elsewhere',
      unix_socket_permissions: '0700',
      listen_addresses: '',
      port: '1',
      // A Mac's fsync leaves what is written in the drive's own memory.
      ...(process.platform === 'darwin' && { wal_sync_method: 'fsync_writethrough' }),
    })
    expect(request?.env).not.toHaveProperty('HOME')
  })

  it('TCP on this machine alone, if that is wanted', async () => {
    await start({ tcp: 5433 })
    expect(launched[0] && settingsOf(launched[0])).toMatchObject({
      listen_addresses: '127.0.0.1,::1',
      port: '5433',
    })
  })

  it('no setting that cannot be one', async () => {
    const refused = { code: 'ERR_CLUSTER_INVALID_SETTING' }
    await expect(start({ settings: { port: '5432' } })).rejects.toMatchObject(refused)
    expect(launched).toEqual([])
  })
})
