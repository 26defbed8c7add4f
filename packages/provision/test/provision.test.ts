import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { cloneCluster } from '@howdah/backup'
import { Cluster, type Session } from '@howdah/cluster'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { openProject, type OpenProjectOptions } from '../src/index.ts'
import { expect, test } from 'vitest'

/** A directory with files, of which `howdah.json` is given as an object. */
function projectOf(settings: object, files: Readonly<Record<string, string | Buffer>> = {}) {
  const home = temporaryDirectory()
  put(home, { ...files, 'howdah.json': JSON.stringify(settings) })
  return home
}

function put(home: TemporaryDirectory, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(home.file(name)), { recursive: true })
    writeFileSync(home.file(name), content)
  }
}

async function open(home: TemporaryDirectory, options: OpenProjectOptions = {}): Promise<Session> {
  return await openProject({ from: home.path, strategy: newest.strategy, env: {}, ...options })
}

async function ask(session: Session, sql: string, database?: string): Promise<unknown[]> {
  const client = await session.connect(database)
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

test('a new cluster gets its roles, databases, tables and data, and none of it again', async () => {
  using home = projectOf(
    {
      databases: { app: { owner: 'app' }, 'other one': {} },
      roles: {
        app: { password: { env: 'APP' }, memberOf: ['team'] },
        team: { login: false, createdb: true },
        'a "b"': { password: { file: 'secret' } },
      },
      settings: { work_mem: '7MB', jit: false, max_connections: 23 },
      init: ['db', { command: 'psql -c "CREATE TABLE d()" || echo "$DATABASE_URL" >url' }],
      seed: 'seed.sql.gz',
    },
    {
      secret: "it's\r\n",
      'db/2.sql': 'CREATE TABLE b (a int REFERENCES a);',
      'db/1.sql': 'CREATE TABLE a (id int PRIMARY KEY);',
      'db/3.sh': 'echo "$PGDATABASE" >database; pwd >here',
      'db/README.md': 'not a script',
      'seed.sql.gz': gzipSync('COPY a FROM stdin;\n1\n2\n\\.\n'),
    },
  )
  for (const round of ['made', 'there']) {
    await using session = await open(home, { env: { APP: 'x', PATH: process.env['PATH'] } })
    expect([round, session.database]).toEqual([round, 'app'])
    expect(await ask(session, 'SELECT id FROM a ORDER BY 1')).toEqual([1, 2])
    expect(await ask(session, tables)).toEqual(expect.arrayContaining(['a', 'b']))
    expect(await session.databases()).toEqual(expect.arrayContaining(['app', 'other one']))
    expect(
      await ask(
        session,
        'SELECT rolname, rolcanlogin, rolcreatedb FROM pg_roles WHERE oid > 16000 ORDER BY 1',
      ),
    ).toEqual(['a "b"', true, false, 'app', true, false, 'team', false, true])
    expect(
      await ask(
        session,
        "SELECT pg_has_role('app', 'team', 'member'), pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'",
      ),
    ).toEqual([true, 'app'])
    expect(
      await ask(
        session,
        "SELECT setting FROM pg_settings WHERE name IN ('work_mem', 'jit', 'max_connections') ORDER BY name",
      ),
    ).toEqual(['off', '23', '7168'])
    expect(
      await ask(session, 'SELECT count(*)::int FROM pg_authid WHERE rolpassword LIKE $$SCRAM%$$'),
    ).toEqual([2])
  }
  expect(readFileSync(home.file('database'), 'utf8')).toBe('app\n')
  expect(readFileSync(home.file('here'), 'utf8')).toBe(`${home.path}\n`)
})

test.each([
  [
    'SQL that fails',
    { init: 'a.sql' },
    { 'a.sql': 'SELECT 1;\nSELECT * FROM nowhere;' },
    'a.sql:2: ',
  ],
  ['a command that fails', { init: { command: 'echo oh no; exit 3' } }, {}, 'oh no'],
  ['a path that leads nowhere', { seed: 'db/*.sql' }, {}, 'no script is called like'],
  ['another kind of file', { init: 'a.txt' }, { 'a.txt': '' }, 'does not end in'],
  ['a role that is impossible', { roles: { pg_x: {} } }, {}, 'roles.pg_x: '],
  [
    'an extension that is missing',
    { extensions: ['nope'] },
    {},
    'databases.postgres: extension "nope"',
  ],
  [
    'a variable that is not set',
    { roles: { a: { password: { env: 'A' } } } },
    {},
    'roles.a.password: the variable A is not set',
  ],
  ['a file that is missing', { tcp: { password: { file: 'x' } } }, {}, 'tcp.password: cannot read'],
])('%s is an error that says where, and no cluster is made', async (_, settings, files, words) => {
  using home = projectOf(settings, files)
  const error = await open(home).catch((one: unknown) => one as Error)
  expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_PROVISION_/) })
  expect((error as Error).message).toContain(words)
  expect((error as Error).message).toContain(home.file('howdah.json'))
  expect(existsSync(home.file('.howdah/data/PG_VERSION'))).toBe(false)
})

test('an existing cluster gets what is new in the settings, and its scripts are only told of', async () => {
  using home = projectOf({ init: 'a.sql' }, { 'a.sql': 'CREATE TABLE a ();' })
  await (await open(home)).leave()
  const notices: string[] = []
  const onNotice = (notice: string) => notices.push(notice)
  await (await open(home, { onNotice })).leave()
  expect(notices).toEqual([])
  put(home, {
    'a.sql': 'CREATE TABLE b ();',
    'howdah.json': '{ "init": "a.sql", "databases": ["postgres", "new"], "roles": { "new": {} } }',
  })
  for (const round of [1, 2]) {
    await using session = await open(home, { onNotice })
    expect(await ask(session, tables)).toEqual(['a'])
    expect(await session.databases()).toContain('new')
    expect(notices.length).toBe(round)
  }
  expect(notices[0]).toContain(`init in ${home.file('howdah.json')} has changed`)
})

test('many at once provide once', async () => {
  using home = projectOf({})
  await (await open(home)).leave()
  put(home, {
    'howdah.json': '{ "databases": ["postgres", "one"], "roles": { "new": { "password": "x" } } }',
  })
  const sessions = await Promise.all(Array.from({ length: 6 }, async () => await open(home)))
  for (const session of sessions) await session.leave()
  await using session = await open(home)
  expect(await session.databases()).toContain('one')
})

test('scripts of plain SQL are kept as a template, and others run each time', async () => {
  using home = projectOf(
    { init: ['a.sql', { command: 'echo x >>ran' }] },
    { 'a.sql': 'CREATE TABLE a ()' },
  )
  for (const round of [1, 2]) {
    await using session = await open(home, { temporary: true })
    expect(await ask(session, tables)).toEqual(['a'])
    expect(readFileSync(home.file('ran'), 'utf8')).toBe('x\n'.repeat(round))
  }
})

test('a temporary cluster has no seed', async () => {
  using home = projectOf(
    { init: 'a.sql', seed: 'b.sql' },
    { 'a.sql': 'CREATE TABLE a ()', 'b.sql': 'CREATE TABLE b ()' },
  )
  await using session = await open(home, { temporary: true })
  expect(await ask(session, tables)).toEqual(['a'])
})

test('what a cluster was given is known of its clones', async () => {
  using home = projectOf({ init: 'a.sql' }, { 'a.sql': 'CREATE TABLE a ()' })
  await (await open(home)).leave()
  const name = 'howdah-project.json'
  const original = new Cluster(home.file('.howdah/data'), { strategy: newest.strategy })
  const clone = await cloneCluster(original, { to: home.file('clone') })
  expect(readFileSync(join(clone.dataDir, name), 'utf8')).toBe(
    readFileSync(join(original.dataDir, name), 'utf8'),
  )
})

test('options win over the settings', async () => {
  using home = projectOf({ databases: ['app'], settings: { work_mem: '5MB', jit: false } })
  await using session = await open(home, { database: 'mine', settings: { work_mem: '6MB' } })
  expect(session.database).toBe('mine')
  expect(await ask(session, 'SHOW work_mem')).toEqual(['6MB'])
  expect(await ask(session, 'SHOW jit')).toEqual(['off'])
})

test('a version other than that of the cluster is refused with the file, the line and what to write there', async () => {
  using home = projectOf({})
  await (await open(home)).leave()
  const [major, place] = [String(newest.major), '"version" in ']
  const refused = async () => await open(home).catch((error: unknown) => error)
  const saying = (where: string) =>
    expect.objectContaining({
      code: 'ERR_CLUSTER_OTHER_VERSION',
      message: expect.stringContaining(`; change ${where} to "${major}", or `) as unknown,
    })
  put(home, { 'howdah.json': '{\n  "databases": ["version"],\n  "version": 10\n}' })
  expect(await refused()).toEqual(saying(`${place}${home.file('howdah.json')}:3`))
  rmSync(home.file('howdah.json'))
  put(home, { 'package.json': '{ "version": "10",\n"howdah": {\n"version": "99" } }' })
  expect(await refused()).toEqual(saying(`"howdah.version" in ${home.file('package.json')}:3`))
  put(home, { 'package.json': JSON.stringify({ howdah: { version: major } }) })
  await (await open(home)).leave()
})

test('the superuser of the cluster is none of the roles', async () => {
  using home = projectOf({ user: 'boss', roles: { boss: { password: 'x' } } })
  await expect(open(home)).rejects.toThrow('write its password as tcp.password')
})

test('TCP has the port and the password of the settings', async () => {
  using home = projectOf({ tcp: { password: { env: 'SECRET' } }, user: 'boss' })
  await using session = await open(home, { env: { SECRET: 'p w' } })
  expect(session.address).toMatchObject({ host: '127.0.0.1', user: 'boss', password: 'p w' })
  expect(await ask(session, 'SELECT 1')).toEqual([1])
})

const hasGit = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].some((bin) =>
  existsSync(join(bin, 'git')),
)

test.skipIf(!hasGit)(
  "in a linked worktree it is a fork of the main checkout's cluster (skipped without git)",
  async () => {
    using home = projectOf({ init: 'a.sql' }, { 'a.sql': 'CREATE TABLE a ()' })
    const git = (...args: string[]) => {
      const settings = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
      execFileSync('git', [...settings, ...args], { cwd: home.path, stdio: 'pipe' })
    }
    git('init', '--quiet')
    git('add', '.')
    git('commit', '--quiet', '--message=first')
    {
      await using session = await open(home)
      const client = await session.connect()
      await client.query('CREATE TABLE of_main ()')
    }
    git('worktree', 'add', '--quiet', 'topic')
    const notices: string[] = []
    const options = { from: home.file('topic'), onNotice: (notice: string) => notices.push(notice) }
    await using session = await open(home, options)
    expect(session.dataDir).toBe(home.file('topic/.howdah/data'))
    expect(await ask(session, tables)).toEqual(['a', 'of_main'])
    expect(notices).toEqual([])
  },
)
