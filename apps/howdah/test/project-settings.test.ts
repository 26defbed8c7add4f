import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePorts } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project, type Options, start } from './project.ts'
import { hasGit, Repository } from './worktrees/repository.ts'

/** Writes files into a project; an object is written as JSON. */
function put(project: Project, files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(project.file(name)), { recursive: true })
    writeFileSync(
      project.file(name),
      typeof content === 'string' ? content : JSON.stringify(content),
    )
  }
}

const words = 'echo "$PGDATABASE $PGUSER $(basename "$PGHOST") ${PGPASSWORD-none}"'

describe('howdah.json', () => {
  let project: Project
  beforeAll(() => {
    project = new Project()
    put(project, {
      'howdah.json': {
        user: 'boss',
        databases: ['app', 'other'],
        roles: { app: { password: { env: 'APP' } } },
        settings: { work_mem: '7MB' },
        tcp: { password: 'of the file' },
        init: 'a.sql',
      },
      'a.sql': 'CREATE TABLE a AS SELECT current_database() AS made_in;',
      'deep/down/README.md': '',
    })
  })
  afterAll(async () => {
    await project[Symbol.asyncDispose]()
  })

  async function howdah(args: readonly string[], options: Options = {}) {
    return await project.answer(args, { ...options, env: { APP: 'x', ...options.env } })
  }

  test.sequential('counts for every command that makes or starts the cluster', async () => {
    const made = await project.howdah(['exec', '--', 'sh', '-c', words], { env: { APP: 'x' } })
    expect(made).toEqual({ status: 0, stdout: 'app boss 127.0.0.1 of the file\n', stderr: '' })
    const below = await howdah(['-c', 'SELECT made_in FROM a'], { cwd: project.file('deep/down') })
    expect(below.stdout).toContain(' app')
    expect(existsSync(project.file('deep/down/.howdah'))).toBe(false)
    expect(await howdah(['start', '-q'])).toMatchObject({ status: 0, stderr: '' })
    expect((await howdah(['url'])).stdout).toMatch(
      /^postgresql:\/\/boss:of%20the%20file@127\.0\.0\.1:\d+\/app/,
    )
    expect((await howdah(['config', 'get', 'work_mem'])).stdout).toBe('7MB\n')
    expect((await howdah(['databases'])).stdout).toContain('other')
    await howdah(['stop'])
  })

  test.sequential('gives way to the environment, and both to options', async () => {
    const env = { PGDATABASE: 'other', PGPASSWORD: 'of the variable' }
    const asked = ['exec', '--', 'sh', '-c', words]
    expect((await howdah(asked, { env })).stdout).toBe('other boss 127.0.0.1 of the variable\n')
    const options = ['-d', 'third', '--password', 'of the option', '--set', 'WORK_MEM=9MB']
    const given = await howdah(['exec', ...options, ...asked.slice(1)], { env })
    expect(given.stdout).toBe('third boss 127.0.0.1 of the option\n')
    const shown = await howdah(['shell', '--set', 'WORK_MEM=9MB', '-q', '-c', 'SHOW work_mem'])
    expect(shown.stdout).toContain('9MB')
    const as = [
      'exec',
      '--as',
      'postgresql://boss:url@/mine',
      '--',
      'sh',
      '-c',
      'echo $DATABASE_URL',
    ]
    expect((await howdah(as)).stdout).toMatch(/^postgresql:\/\/boss@localhost:1\/mine\?host=/)
  })

  test.sequential('counts for a data directory of the project that is named, and for no other', async () => {
    const named = ['-D', project.dataDir, 'exec', '--', 'sh', '-c', words]
    expect((await howdah(named, { cwd: '/' })).stdout).toMatch(/^app boss /)
    const other = await howdah([
      '-D',
      project.file('elsewhere'),
      'exec',
      '--destroy',
      '--',
      'sh',
      '-c',
      'echo $PGDATABASE',
    ])
    expect(other.stdout).toBe('postgres\n')
  })

  test.sequential('counts for a temporary cluster, in a command inside of a command, too', async () => {
    const inner = `howdah() { "${process.execPath}" "$HOWDAH" "$@"; }; howdah -q -c 'SELECT made_in FROM a'; ${words}`
    const bin = join(import.meta.dirname, '../dist/bin.cjs')
    const { stdout } = await howdah(['exec', '--temporary', '--', 'sh', '-c', inner], {
      env: { HOWDAH: bin },
    })
    expect(stdout).toContain(' app\n')
    expect(stdout).toContain('app boss 127.0.0.1 of the file')
  })

  test.sequential('is applied by "howdah apply" once its scripts have changed', async () => {
    put(project, { 'a.sql': 'CREATE TABLE b ();' })
    const told = await howdah(['exec', 'true'])
    expect(told).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(`init in ${project.file('howdah.json')} has changed`),
    })
    expect((await howdah(['exec', '-q', 'true'])).stderr).toBe('')
    expect(JSON.parse((await howdah(['apply', '--json'])).stdout)).toEqual({
      dataDir: project.dataDir,
      applied: ['init'],
    })
    expect(await howdah(['exec', 'true'])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect((await howdah(['apply'])).stderr).toContain('nothing to apply')
    const again = await howdah(['apply', 'init'])
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('a.sql:1: ') })
    put(project, { 'a.sql': 'CREATE TABLE c ();' })
    expect(await howdah(['apply', '--done'])).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('recorded'),
    })
    expect((await howdah(['exec', 'true'])).stderr).toBe('')
    expect(await howdah(['reset', '--no-save'])).toMatchObject({ status: 0 })
    expect((await howdah(['-q', '-c', 'SELECT count(*) FROM c'])).status).toBe(0)
  })

  test.sequential.each([
    ['a typo', { databses: [] }, 2, /howdah\.json:1 has "databses", .*did you mean "databases"\?/],
    [
      'a password that is missing',
      { roles: { a: { password: { env: 'NOPE' } } } },
      1,
      /roles\.a\.password: the variable NOPE is not set/,
    ],
  ])('with %s: an error that says where', async (_, settings, status, message) => {
    put(project, { 'howdah.json': settings })
    expect(await howdah(['start'])).toEqual({
      status,
      stdout: '',
      stderr: expect.stringMatching(message),
    })
    put(project, { 'howdah.json': {} })
  })
})

test('a command of init finds the cluster that is being made, also by howdah itself', async () => {
  await using project = new Project()
  const bin = join(import.meta.dirname, '../dist/bin.cjs')
  const howdah = `"${process.execPath}" "${bin}"`
  put(project, {
    'howdah.json': {
      databases: ['app'],
      init: { command: `${howdah} -c 'CREATE TABLE a AS SELECT 7 AS seven'` },
    },
  })
  const { status, stdout, stderr } = await project.howdah(['-q', '-c', 'SELECT seven FROM a'])
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain(' 7')
})

test.skipIf(!hasGit)(
  'a linked worktree has the settings of its branch, the data of main, and any free port (skipped without git)',
  async () => {
    await using repository = new Repository()
    const [port] = await freePorts(1)
    put(repository, {
      'howdah.json': { databases: ['app'], tcp: port, init: 'a.sql' },
      'a.sql': 'CREATE TABLE a ()',
      '.gitignore': '.worktrees\n.howdah\n',
    })
    repository.git('add', '.')
    repository.git('commit', '--quiet', '--message=settings')
    await repository.answer(['start'])
    expect((await repository.answer(['url'])).stdout).toContain(`:${port}/app`)
    const worktree = repository.worktree('topic')
    writeFileSync(
      join(worktree, 'howdah.json'),
      JSON.stringify({ databases: ['app', 'more'], tcp: port, init: 'a.sql' }),
    )
    const used = await start(worktree, ['exec', '--', 'sh', '-c', 'echo $PGPORT']).result
    expect(used.status).toBe(0)
    expect(used.stderr).toMatch(/^howdah: forked [^\n]*\n$/)
    expect(Number(used.stdout)).toBeGreaterThan(1023)
    expect(Number(used.stdout)).not.toBe(port)
    expect((await repository.in(worktree, 'databases')).stdout).toContain('more')
    expect((await repository.answer(['databases'])).stdout).not.toContain('more')
    writeFileSync(join(worktree, 'a.sql'), 'CREATE TABLE b ()')
    expect((await repository.in(worktree, 'exec', 'true')).stderr).toContain(
      'has changed since it ran',
    )
    await repository.answer(['stop'])
    execFileSync('rm', ['-rf', worktree])
  },
)
