import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

const version = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  .version as string

/** Runs howdah in this process and expects it to do well, silently on stderr except for what is told. */
async function howdah(...args: string[]) {
  const { status, stdout, stderr } = await project.answer(args)
  expect({ args, status }).toEqual({ args, status: 0 })
  return { stdout, stderr }
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await howdah(...args, '--json')
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Record<string, unknown>
}

// In the order of a cluster's life, each from what the one before has left.
describe.sequential('if there is no cluster', () => {
  test('status says so', async () => {
    expect((await howdah('status')).stdout).toBe(
      `state           missing: there is no cluster yet\ndata directory  ${project.dataDir}\n`,
    )
    expect(await json('status')).toEqual({
      dataDir: project.dataDir,
      state: 'missing',
      version: null,
      users: [],
    })
  })

  test('stop and destroy have nothing to do, and that is fine', async () => {
    expect(await howdah('stop')).toEqual({
      stdout: '',
      stderr: `${project.dataDir}: was not running\n`,
    })
    expect(await howdah('destroy')).toEqual({
      stdout: '',
      stderr: `${project.dataDir}: there was no cluster\n`,
    })
    expect(await json('stop')).toEqual({ changed: false, dataDir: project.dataDir })
  })

  test.each([[['url']], [['databases']], [['superusers']], [['dropdb', 'x']]])(
    '%j fails: status 1, and makes none',
    async (args) => {
      const { status, stdout, stderr } = await project.answer(args)
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toBe(
        `howdah: there is no PostgreSQL cluster in ${project.dataDir}; create one, or check the path\n`,
      )
      expect(existsSync(project.file('.howdah'))).toBe(false)
    },
  )

  test('logs are empty', async () => {
    expect(await howdah('logs')).toEqual({ stdout: '', stderr: '' })
  })
})

describe.sequential('a cluster', () => {
  test('is started, and says how it went on stderr', async () => {
    const { status, stdout, stderr } = await project.howdah([
      'start',
      '-d',
      'app',
      '--set',
      'work_mem=5MB',
    ])
    expect([status, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/^started PostgreSQL \d+\.\d+ on \/.*\/\.howdah\/data \(pid \d+\)\n$/)
  })

  test('is started only once', async () => {
    expect((await howdah('start')).stderr).toMatch(
      /^PostgreSQL .* was running on .* already \(pid \d+\); it stays now\n$/,
    )
    expect(await json('start')).toMatchObject({
      changed: false,
      dataDir: project.dataDir,
      url: (await howdah('url')).stdout.trim(),
    })
  })

  test('has a status', async () => {
    const { stdout } = await howdah('status')
    expect(stdout).toMatch(
      /^state +running\ndata directory +\/.*\nversion +\d+\npid +\d+\nsince +20.*\nsocket +\/.*\nTCP +none\nstays +until it is stopped\nusers +none\n$/,
    )
    expect(await json('status')).toMatchObject({
      state: 'running',
      ours: true,
      pinned: true,
      pid: expect.any(Number),
      users: [],
    })
  })

  test('has a URL for each database, that of PGDATABASE too', async () => {
    expect((await howdah('url')).stdout).toMatch(/^postgresql:\/\/\S+\/postgres\?host=\S+\n$/)
    expect((await howdah('url', '-d', 'a b')).stdout).toMatch(/\/a%20b\?/)
    expect((await project.answer(['url'], { env: { PGDATABASE: 'c' } })).stdout).toMatch(/\/c\?/)
    expect(await json('url')).toMatchObject({
      env: { PGDATABASE: 'postgres', PGDATA: project.dataDir },
    })
  })

  test('has no URL over TCP if it does not listen there', async () => {
    const { status, stderr } = await project.answer(['url', '--tcp'])
    expect([status, stderr]).toEqual([1, expect.stringMatching(/does not listen on TCP; /)])
  })

  test('runs with the settings it was started with', async () => {
    expect((await howdah('-c', 'SHOW work_mem')).stdout).toMatch(/^ 5MB *$/m)
  })

  test('has databases: made, listed and dropped, whatever they are called', async () => {
    const name = 'Foo"B ar-ä;'
    expect(await howdah('createdb', name)).toEqual({
      stdout: '',
      stderr: `created database ${name}\n`,
    })
    expect(await howdah('createdb', name)).toEqual({
      stdout: '',
      stderr: `database ${name}: exists already\n`,
    })
    expect((await howdah('databases')).stdout.split('\n')).toEqual([
      name,
      'app',
      'postgres',
      'template0',
      'template1',
      '',
    ])
    expect(await json('databases')).toContain(name)
    expect(await json('dropdb', name)).toEqual({ changed: true, database: name })
    expect(await howdah('dropdb', name)).toEqual({
      stdout: '',
      stderr: `database ${name}: there was none\n`,
    })
    expect(await howdah('-q', 'dropdb', name)).toEqual({ stdout: '', stderr: '' })
  })

  test('keeps a database that is in use: status 75', async () => {
    const script = 'createdb-test'
    const user = project.start([
      '-d',
      script,
      '-c',
      "SELECT 'here', pg_sleep(60)",
      '-c',
      'SELECT 1',
    ])
    await until('it is connected', async () => {
      const { stdout } = await project.answer([
        '-c',
        `SELECT count(*) FROM pg_stat_activity WHERE datname = '${script}' AND state = 'active'`,
      ])
      return /^ +1$/m.test(stdout)
    })
    const { status, stderr } = await project.answer(['dropdb', script])
    expect([status, stderr]).toEqual([
      75,
      expect.stringMatching(
        /^howdah: database "createdb-test" is being accessed by other users\n    DETAIL: /,
      ),
    ])
    user.kill('SIGINT')
    await user.result
  })

  test('has superusers', async () => {
    const { stdout } = await howdah('superusers')
    expect(stdout).toMatch(/^\S+\n$/)
    expect(await json('superusers')).toEqual([stdout.trim()])
  })

  test('has a log: all of it, or its last lines, or followed until a signal', async () => {
    const { stdout } = await howdah('logs')
    expect(stdout).toContain('ready to accept connections')
    expect((await howdah('logs', '-n', '1')).stdout).toBe(
      `${stdout.trimEnd().split('\n').at(-1)}\n`,
    )
    const following = project.start(['logs', '-f', '-n', '0'])
    // What was logged before it follows would not come: so once more until it does.
    await until('it comes along', async () => {
      await project.answer(['-c', "DO $$ BEGIN RAISE LOG 'a cry'; END $$"])
      return following.stdout.includes('a cry')
    })
    following.kill('SIGINT')
    expect(await following.result).toMatchObject({ status: 130, stderr: '' })
  })

  test('is neither stopped nor destroyed while somebody uses it: status 75, and who it is', async () => {
    const user = project.start(['exec', 'sh', '-c', 'echo ready; read x'], { input: null })
    await user.says('ready')
    for (const command of ['stop', 'destroy']) {
      const { status, stderr } = await project.answer([command])
      expect([status, stderr]).toEqual([
        75,
        expect.stringMatching(
          new RegExp(
            `^howdah: cannot ${command} .*: it is in use by pid ${user.child.pid} \\(.*\\); `,
          ),
        ),
      ])
    }
    expect((await howdah('status')).stdout).toMatch(new RegExp(`users +pid ${user.child.pid} \\(`))
    user.child.stdin?.end()
    await user.result
  })

  test('is stopped', async () => {
    expect(await howdah('stop')).toEqual({
      stdout: '',
      stderr: `stopped PostgreSQL on ${project.dataDir}\n`,
    })
    expect((await howdah('status')).stdout).toMatch(/^state +stopped\n/)
    const { status, stderr } = await project.answer(['url'])
    expect([status, stderr]).toEqual([
      1,
      `howdah: no PostgreSQL server runs on ${project.dataDir}; start it first\n`,
    ])
  })

  test('has superusers also while it is stopped, and stays so', async () => {
    expect((await howdah('superusers')).stdout).toMatch(/^\S+\n$/)
    expect(await json('status')).toMatchObject({ state: 'stopped' })
  })

  test('is started by what needs it, and stopped afterwards', async () => {
    expect((await howdah('databases')).stdout).toContain('app\n')
    expect(await json('status')).toMatchObject({ state: 'stopped' })
  })

  test('stays as long as it is to linger', async () => {
    await howdah('exec', '--linger', '60', 'true')
    expect(await json('status')).toMatchObject({ state: 'running', pinned: false })
    await howdah('stop')
  })

  test('is destroyed', async () => {
    expect(await howdah('destroy')).toEqual({
      stdout: '',
      stderr: `destroyed ${project.dataDir}; it is saved for 7 days: "howdah undo" brings it back\n`,
    })
    expect(existsSync(project.dataDir)).toBe(false)
  })
})

test('a cluster that howdah did not make is destroyed only when forced', async () => {
  const dataDir = project.file('foreign')
  await howdah('-D', dataDir, 'exec', 'true')
  rmSync(join(dataDir, 'howdah.json'))
  const { status, stderr } = await project.answer(['destroy', '-D', dataDir])
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^howdah: .*\/foreign was not created by howdah/),
  ])
  expect(existsSync(join(dataDir, 'PG_VERSION'))).toBe(true)
  await howdah('destroy', '-D', dataDir, '--force')
  expect(existsSync(dataDir)).toBe(false)
})

describe('the PostgreSQLs found here', () => {
  test('are listed, and which would be used', async () => {
    const { stdout } = await howdah('runtimes')
    expect(stdout).toMatch(/^(?:[* ] \d+\.\d+ +\w+ +\/.*\n)+$/)
    expect(stdout.match(/^\* /gm)).toHaveLength(1)
    const all = (await json('runtimes', '--runtime', '18')) as unknown as {
      version: string
      used: boolean
      strategy: string
    }[]
    expect(all.filter(({ used }) => used)).toMatchObject([
      { version: expect.stringMatching(/^18\./) },
    ])
    expect(all.map(({ strategy }) => strategy)).toContain('bundled')
  })

  test.each([
    [['frobnicate'], 2, /^howdah: runtimes frobnicate: there is no such action/],
    [['install'], 2, /say which version, such as 16/],
    [['install', 'soon'], 2, /"soon" is not a version that can be installed/],
    [['remove', '99'], 0, /^PostgreSQL 99: was not installed\n$/],
  ])('%j: status %i', async (args, status, message) => {
    const result = await project.answer(['runtimes', ...args])
    expect([result.status, result.stdout, result.stderr]).toEqual([
      status,
      '',
      expect.stringMatching(message),
    ])
  })

  test('one that is not here is fetched when it is asked for; without a network, that is said', async () => {
    const env = { npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' }
    const none = await project.howdah(['start', '--runtime', '11'], { env })
    expect([none.status, none.stderr]).toEqual([
      69,
      expect.stringMatching(
        /^howdah: no PostgreSQL 11 found: found .*; install one with `howdah runtimes install 11`\n$/,
      ),
    ])
    const offline = await project.howdah(['start', '--runtime', '11', '--install'], { env })
    expect([offline.status, offline.stderr]).toEqual([
      1,
      expect.stringMatching(/^howdah: .* needs npm's registry, and npm cannot reach it/),
    ])
  })
})

test('the version and the help are results', async () => {
  const shown = await project.howdah(['--version'])
  expect(shown).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  expect((await project.howdah(['--help'])).stdout).toMatch(/^Usage: howdah /)
  expect((await howdah('exec', '--help')).stdout).toMatch(/^Usage: howdah exec /)
})

test('a stack is shown only for debugging', async () => {
  const plain = await project.howdah(['url'])
  expect(plain.stderr).not.toMatch(/^\s+at /m)
  const debug = await project.howdah(['url'], { env: { HOWDAH_DEBUG: '1' } })
  expect(debug.stderr).toMatch(/^\s+at /m)
})

test('a reader who goes away ends it quietly, as SIGPIPE would', async () => {
  await howdah('createdb', 'x')
  const { status, stdout, stderr } = await project.howdah([], {
    by: ['sh', '-c', '{ "$0" "$1" databases; echo $? >&2; } | true'],
  })
  expect([status, stdout, stderr]).toEqual([0, '', '141\n'])
})
