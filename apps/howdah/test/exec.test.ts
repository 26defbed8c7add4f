import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linuxOnly } from '@howdah/fixtures'
import { Project } from './project.ts'

let project: Project
beforeAll(async () => {
  project = new Project()
  // Warm, so that each of the following is quick.
  await project.howdah(['start'])
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

describe('the exit status is that of the command', () => {
  test.each([
    ['0', ['true'], 0],
    ['3', ['sh', '-c', 'exit 3'], 3],
    ['255', ['sh', '-c', 'exit 255'], 255],
    ['69, though howdah has a meaning for it', ['sh', '-c', 'exit 69'], 69],
    ['SIGTERM: 143', ['sh', '-c', 'kill -TERM $$'], 143],
    ['SIGKILL: 137', ['sh', '-c', 'kill -KILL $$'], 137],
    ['SIGINT: 130', ['sh', '-c', 'kill -INT $$'], 130],
  ])('%s', async (_, command, status) => {
    expect(await project.howdah(['exec', ...command])).toEqual({ status, stdout: '', stderr: '' })
  })

  test('127 when it is not found', async () => {
    expect(await project.howdah(['exec', 'no-such-command', 'x'])).toEqual({
      status: 127,
      stdout: '',
      stderr: 'howdah: no-such-command: command not found\n',
    })
  })

  test('126 when it cannot be run', async () => {
    writeFileSync(project.file('closed'), '#!/bin/sh\n', { mode: 0o644 })
    const { status, stderr } = await project.howdah(['exec', './closed'])
    expect([status, stderr]).toEqual([
      126,
      expect.stringMatching(/^howdah: \.\/closed: cannot be run: .*EACCES\n$/),
    ])
  })

  test('125 when howdah itself fails: no PostgreSQL, a bad setting, another cluster', async () => {
    const none = await project.howdah(['exec', '-D', 'new', '--runtime', '9.6', 'true'])
    expect([none.status, none.stderr]).toEqual([
      125,
      expect.stringMatching(/^howdah: no PostgreSQL 9\.6 found/),
    ])
    const bad = await project.howdah([
      'exec',
      '-D',
      'new',
      '--set',
      'nonsense=1',
      '--destroy',
      'true',
    ])
    expect([bad.status, bad.stderr]).toEqual([125, expect.stringContaining('nonsense')])
    expect(existsSync(project.file('new'))).toBe(false)
    writeFileSync(project.file('full'), '')
    const full = await project.howdah(['exec', '-D', '.', 'true'])
    expect([full.status, full.stderr]).toEqual([125, expect.stringMatching(/holds other things/)])
  })

  test('2 when it is used wrongly', async () => {
    const { status, stderr } = await project.howdah(['exec', '--frobnicate', 'true'])
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^howdah: unknown option/)])
  })
})

describe('the command', () => {
  test('has our streams: stdin, stdout and stderr are its own', async () => {
    const script = 'cat; echo problem >&2'
    expect(await project.howdah(['exec', 'sh', '-c', script], { input: 'a\nb' })).toEqual({
      status: 0,
      stdout: 'a\nb',
      stderr: 'problem\n',
    })
  })

  test('has its own flags, with -- and without', async () => {
    const { stdout } = await project.howdah([
      'exec',
      'printf',
      '%s\n',
      '-D',
      '--tcp',
      '--',
      '-h',
      '',
    ])
    expect(stdout).toBe('-D\n--tcp\n--\n-h\n\n')
    expect((await project.howdah(['exec', '--', 'printf', '%s\n', '--help'])).stdout).toBe(
      '--help\n',
    )
  })

  test('runs where we are, as who we are', async () => {
    const { stdout } = await project.howdah(['exec', 'sh', '-c', 'pwd; id -u'])
    expect(stdout).toBe(`${project.path}\n${process.getuid?.()}\n`)
  })

  test('has the environment that leads to the database, and what was there of its own', async () => {
    const env = {
      MINE: 'kept',
      PGOPTIONS: '-c x.y=z',
      PGSERVICE: 'other',
      PGHOSTADDR: '192.0.2.1',
      PGSSLMODE: 'require',
    }
    const { stdout } = await project.howdah(['exec', '-d', "it's äpp", 'env', '-0'], { env })
    const found = Object.fromEntries(
      stdout.split('\0').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    )
    expect(found).toMatchObject({
      MINE: 'kept',
      PGOPTIONS: '-c x.y=z',
      PGDATA: project.dataDir,
      PGDATABASE: "it's äpp",
    })
    expect(found['DATABASE_URL']).toMatch(/^postgresql:\/\//)
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining(['PGHOST', 'PGPORT', 'PGUSER', 'PATH']),
    )
    for (const name of ['PGSERVICE', 'PGHOSTADDR', 'PGSSLMODE'])
      expect(found).not.toHaveProperty(name)
    expect((await project.howdah(['databases'])).stdout).toContain("it's äpp\n")
  })

  const openFiles = linuxOnly('/proc/self/fd')

  test(
    'does not inherit our lock: it holds no file of the data directory open',
    openFiles,
    async () => {
      const { stdout } = await project.howdah(['exec', 'sh', '-c', 'ls -l /proc/self/fd'])
      expect(stdout).not.toContain(project.dataDir)
    },
  )
})

test('a new project is kept out of git', () => {
  expect(readFileSync(project.file('.howdah/.gitignore'), 'utf8')).toBe('*\n')
})

test('--temporary has a cluster of its own, and leaves nothing of it', async () => {
  const options = ['exec', '--temporary', '-d', 'app']
  const { status, stdout } = await project.howdah([...options, 'sh', '-c', 'echo $PGDATA'], {
    env: { PGDATA: project.file('other'), HOWDAH_TEMPORARY_DIR: project.file('tmp') },
  })
  const dataDir = stdout.trim()
  expect([status, dataDir]).toEqual([
    0,
    expect.stringContaining(project.file('tmp', 'howdah-clusters-')),
  ])
  expect([existsSync(dataDir), existsSync(project.file('other'))]).toEqual([false, false])
})

test('--destroy leaves nothing of a cluster that it made', async () => {
  const { status, stdout } = await project.howdah([
    'exec',
    '-D',
    'gone',
    '--destroy',
    'sh',
    '-c',
    'echo $PGDATA',
  ])
  expect([status, stdout]).toEqual([0, `${project.file('gone')}\n`])
  expect(existsSync(project.file('gone'))).toBe(false)
})

describe('it starts quickly, for it loads only what it needs:', () => {
  /** Whether any file of a package is among what a command loads, by itself or in a bundle. */
  async function loaded(...args: string[]) {
    const [hook, list] = [project.file('hook.cjs'), project.file('loaded')]
    const files = `Object.keys(require.cache).join('\\n')`
    const write = `require('node:fs').writeFileSync(${JSON.stringify(list)}, ${files})`
    writeFileSync(hook, `process.on('exit', () => ${write})`)
    await project.howdah(args, { env: { NODE_OPTIONS: `--require=${hook}` } })
    const paths = readFileSync(list, 'utf8').split('\n')
    return (name: string) =>
      paths.some((path) =>
        [path, readFileSync(path, 'latin1')].some((text) => text.includes(`node_modules/${name}/`)),
      )
  }

  test('no driver, also to find out whether the database is there', async () => {
    await project.howdah(['createdb', 'there'])
    const has = await loaded('exec', '-d', 'there', 'true')
    expect(has('pg')).toBe(false)
    const others = await loaded('databases')
    expect(others('pg')).toBe(true)
  })

  test('no driver to tell in which mode a server runs', async () => {
    await project.howdah(['start'])
    await project.howdah(['config', 'set', 'synchronous_commit', 'off'])
    const has = await loaded('status')
    expect(has('pg')).toBe(false)
    expect((await project.howdah(['status'])).stdout).toMatch(/^mode +fast/m)
  })

  test('nothing that lays out tables', async () => {
    const has = await loaded('exec', 'true')
    expect(has('string-width')).toBe(false)
    const others = await loaded('config', 'list')
    expect(others('string-width')).toBe(true)
  })
})
