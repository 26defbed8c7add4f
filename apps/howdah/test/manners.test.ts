import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

describe('--if-exists', () => {
  test.each([
    [['-c', 'SELECT 1'], 125],
    [['exec', 'true'], 125],
    [['start'], 1],
    [['createdb', 'x'], 1],
    [['load', '-'], 1],
  ])('%j makes no cluster', async (args, status) => {
    const place = project.file('typo')
    const { status: found, stderr } = await project.answer(['--if-exists', '-D', place, ...args])
    expect([found, stderr]).toEqual([
      status,
      expect.stringContaining('there is no PostgreSQL cluster in'),
    ])
    expect(existsSync(place)).toBe(false)
  })
})

test('with --json, an error is one line of JSON on stderr', async () => {
  const missing = await project.howdah(['url', '--json'])
  expect({ ...missing, stderr: JSON.parse(missing.stderr) as unknown }).toEqual({
    status: 1,
    stdout: '',
    stderr: {
      error: {
        code: 'ERR_CLUSTER_MISSING',
        message: expect.stringContaining('create one'),
        status: 1,
      },
    },
  })
  const misused = await project.howdah(['url', '--json', '--nope'])
  expect({ ...misused, stderr: JSON.parse(misused.stderr) as unknown }).toMatchObject({
    status: 2,
    stderr: {
      error: { code: 'ERR_CLI_USAGE', message: expect.stringContaining("'--nope'"), status: 2 },
    },
  })
})

test('the beginning of a help is enough', () => {
  const script = `"$0" "$1" --help | head -1; echo "\${PIPESTATUS[*]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, bin], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^Usage: howdah \[options\] \[command\]\n0 0\n$/)
})

test('howdah version says what is used here', async () => {
  const { stdout } = await project.howdah(['version', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    howdah: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    postgres: { version: expect.stringMatching(/^\d+\.\d+/), bindir: expect.any(String) },
  })
})

describe('howdah lock, as flock(1)', () => {
  test.each([
    ['a command without --', ['FILE', 'sh', '-c', 'exit 3'], 3],
    ['options of the command', ['FILE', 'test', '-n', '--json'], 0],
    ['-c', ['-c', 'exit 4', 'FILE'], 4],
    ['-c after the file', ['FILE', '-c', 'exit 5'], 5],
    ['-n', ['-n', 'FILE', 'true'], 0],
    ['-w and -s', ['-s', '-w', '1.5', 'FILE', '--', 'true'], 0],
    ['-c and a command', ['-c', 'true', 'FILE', 'true'], 2],
  ])('takes %s', async (_, args, status) => {
    const words = args.map((word) => (word === 'FILE' ? project.file('lock') : word))
    expect((await project.howdah(['lock', ...words])).status).toBe(status)
  })

  test('-n fails at once while it is held', async () => {
    const path = project.file('held')
    const holder = project.start(['lock', path, 'sh', '-c', 'echo held; exec sleep 60'])
    await holder.says('held')
    const { status, stderr } = await project.howdah(['lock', '-n', path, 'true'])
    // Only Linux tells who holds a lock.
    const why = process.platform === 'linux' ? 'held by pid' : 'was not acquired within 0 s'
    expect([status, stderr]).toEqual([125, expect.stringContaining(why)])
    holder.kill('SIGTERM')
    await holder.result
  })
})

test('howdah lease says which holder it waits for', async () => {
  const holder = project.start([
    'lease',
    '--owner',
    'the first',
    'a',
    '--',
    'sh',
    '-c',
    'echo held; exec sleep 60',
  ])
  await holder.says('held')
  const second = project.start(['lease', 'a', '--', 'true'])
  await until('it says so', () => /held by the first, at present until 2/.test(second.stderr))
  holder.kill('SIGTERM')
  await holder.result
  expect((await second.result).status).toBe(0)
})

describe('a pinned server', () => {
  test('with TCP is told by url, and its socket with --socket', async () => {
    await project.howdah(['start'])
    expect((await project.answer(['url'])).stdout).toContain('host=')
    await project.howdah(['start', '--tcp'])
    expect((await project.answer(['url'])).stdout).toMatch(/@127\.0\.0\.1:\d+\//)
    expect((await project.answer(['url', '--socket'])).stdout).toContain('host=')
    await project.answer(['stop'])
  })

  test('is not restarted for TCP while clients are connected, and they are named', async () => {
    await project.howdah(['start'])
    const url = (await project.answer(['url'])).stdout.trim()
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: url, application_name: 'mine' })
    await client.connect()
    const refused = await project.howdah(['exec', '--tcp', 'true'])
    expect(refused).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('the client "mine"'),
    })
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await client.end()
    expect((await project.howdah(['exec', '--tcp', 'true'])).status).toBe(0)
    await project.answer(['stop'])
  })
})

test.skipIf(!existsSync('/usr/bin/python3'))(
  'destroy asks on a terminal (skipped without python3)',
  async () => {
    const by = ['/usr/bin/python3', fileURLToPath(new URL('terminal.py', import.meta.url))]
    await project.answer(['createdb', 'x'])
    for (const [answer, status] of [
      ['n\n', 1],
      ['\n', 1],
      ['yes\n', 0],
    ] as const) {
      const asking = project.start(['destroy', '--no-save'], { by, input: null })
      await asking.says('[y/N]')
      asking.child.stdin?.end(answer)
      expect([answer, (await asking.result).status]).toEqual([answer, status])
      expect(existsSync(project.file('.howdah/data/PG_VERSION'))).toBe(status !== 0)
    }
  },
)

test('clones and restored clusters are kept out of git', async () => {
  await project.answer(['createdb', 'x'])
  await project.howdah(['backup', '--into', 'backups'])
  expect((await project.howdah(['clone', '--to', 'copy'])).status).toBe(0)
  expect((await project.howdah(['restore', '--from', 'backups', '--to', 'back'])).status).toBe(0)
  for (const name of ['copy', 'back'])
    expect(readFileSync(project.file(name, '.gitignore'), 'utf8')).toBe('*\n')
  for (const name of ['copy', 'back']) {
    expect((await project.answer(['exec', '-D', name, 'true'])).status).toBe(0)
    await project.answer(['destroy', '-D', name, '--no-save'])
    expect(existsSync(project.file(name))).toBe(false)
  }
})
