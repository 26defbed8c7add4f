import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Cluster, type Session } from '@howdah/cluster'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shellOn } from './shell-host.ts'

const home = temporaryDirectory()
const directory = home.file('here')
const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
let session: Session

beforeAll(async () => {
  mkdirSync(directory)
  session = await cluster.run({ database: 'app' })
  const client = await session.connect()
  await client.query(`
    CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE "it's" (a int);
    CREATE ROLE reader;
    INSERT INTO person VALUES (1, 'Hannibal'), (2, NULL)`)
  await client.end()
})

afterAll(async () => {
  await session.leave({ force: true })
  home[Symbol.dispose]()
})

/** The content of a file, or `null` before it is written. */
const contentOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null) || null

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const run = async (input: string, args: string[] = []) =>
  await shellOn(session, directory, { args }, input)

test('a result is a table, and a change is its tag', async () => {
  const { status, stdout, stderr } = await run(
    'SELECT * FROM person; CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1) RETURNING n',
  )
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toBe(
    ' id |   name   \n----+----------\n  1 | Hannibal\n  2 | \n(2 rows)\n\n' +
      'CREATE TABLE\n n \n---\n 1\n(1 row)\n\nINSERT 0 1\n',
  )
})

test('COPY TO STDOUT writes its data, and FROM STDIN reads those that follow, also as CSV', async () => {
  const { status, stdout, stderr } = await run(
    'COPY person TO STDOUT;\nCREATE TEMP TABLE t (n int, s text);\nCOPY t FROM STDIN (FORMAT csv);\n3,"x;y"\n\\.\nCOPY t TO STDOUT',
  )
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toBe('1\tHannibal\n2\t\\N\nCREATE TABLE\nCOPY 1\n3\tx;y\n')
})

test('a failure ends a script, and its place is said', async () => {
  writeFileSync(`${directory}/bad.sql`, 'SELECT 1;\n\nSELECT nam\nFROM person;\nSELECT 2;\n')
  const { status, stdout, stderr } = await run('', ['-At', '-f', 'bad.sql', '-c', 'SELECT 3'])
  expect([status, stdout]).toEqual([3, '1\n'])
  expect(stderr).toMatch(
    /^bad\.sql:4: ERROR: {2}column "nam" does not exist\nLINE 1: SELECT nam\n {15}\^\nHINT: /,
  )
  expect((await run('SELECT 1/0; SELECT 2', ['-At', '-v', 'ON_ERROR_STOP=0'])).stdout).toBe('2\n')
})

test.each([
  ['nonsense', 'invalid command \\nonsense'],
  ['password', '\\password is not supported here; psql knows it'],
  ['pset format html', '\\pset: format html is not known here; there are aligned, csv, unaligned'],
  [
    'set ON_ERROR_ROLLBACK on',
    'the variable ON_ERROR_ROLLBACK is not supported here; psql knows it',
  ],
  ['encoding latin1', '\\encoding: latin1 is not supported here, where all text is UTF8'],
  ["echo 'x", 'unterminated quoted string'],
  ['c - reader', '\\connect: database "app": role "reader" is not permitted to log in'],
  [
    'c app reader host',
    '\\connect: only a database and a user can be chosen, because the server stays the same',
  ],
  ['d nonsense', 'Did not find any relation named "nonsense".'],
  ['copy person', '\\copy: parse error at end of line'],
  ['watch x', '\\watch: incorrect interval value "x"'],
])('what cannot be done is said, and fails: \\%s', async (command, words) => {
  const { status, stdout, stderr } = await run(`SELECT 1\n\\${command}\n\\echo later`)
  expect([status, stdout, stderr]).toEqual([3, '', `${words}\n`])
})

test('another encoding is refused, because all text would be wrong', async () => {
  const { status, stdout, stderr } = await run("SET client_encoding TO latin1; SELECT 'é'")
  expect([status, stdout]).toEqual([3, 'SET\n'])
  expect(stderr).toMatch(/^client_encoding LATIN1 is not supported here/)
})

test('a table can be described whatever it is called', async () => {
  const { status, stdout } = await run(`\\d "it's"\n\\dt *"'"*\n\\dtx person`)
  expect(status).toBe(0)
  expect(stdout).toMatch(/Table "public\.it's"\n/)
  expect(stdout).toMatch(/^ public \| it's \| table \| /m)
  expect(stdout).toMatch(/^Name +\| person\n/m)
})

test('the same descriptions as of psql: databases, roles, schemas, functions, extensions', async () => {
  const { status, stdout, stderr } = await run(
    '\\l\n\\du\n\\dn\n\\df pg_catalog.lower\n\\dx\n\\h COMMIT\n\\?\n',
  )
  expect([status, stderr]).toEqual([0, ''])
  for (const part of [
    'List of databases',
    'template1',
    'List of roles',
    'reader',
    'List of schemas',
    'anyrange',
    'plpgsql',
    'COMMIT [ WORK',
    '\\copy TABLE FROM|TO FILE',
  ])
    expect(stdout).toContain(part)
})

test('\\restrict forbids commands until its \\unrestrict, as in dumps', async () => {
  const { status, stdout } = await run('\\restrict k\nSELECT 1;\n\\unrestrict k\n\\echo a', ['-At'])
  expect([status, stdout]).toEqual([0, '1\na\n'])
  const refused = await run('\\restrict k\n\\! touch x\n\\unrestrict k\n')
  expect([refused.status, refused.stderr]).toEqual([
    3,
    'backslash commands are restricted; only \\unrestrict is allowed\n',
  ])
})

test('\\watch sends a query so many times, and \\timing says how long it took', async () => {
  const { status, stdout } = await run('\\timing\nSELECT 7 AS n \\watch i=0 c=2\n', ['-A'])
  expect(status).toBe(0)
  expect(stdout.match(/\(every 0s\)\n\nn\n7\n\(1 row\)\nTime: \d+\.\d{3} ms\n/g)).toHaveLength(2)
})

test('\\e edits the query so far, which then runs', async () => {
  writeFileSync(`${directory}/editor.sh`, 'sed -i \'s/1/2/; $s/$/;/\' "$1"\n')
  const { status, stdout } = await run("\\setenv EDITOR 'sh ./editor.sh'\nSELECT 1\n\\e\n", ['-At'])
  expect([status, stdout]).toEqual([0, '2\n'])
})

test('the data of a large COPY pass through, in either direction', async () => {
  const { status, stderr } = await run(
    'CREATE TEMP TABLE t (n int);\nINSERT INTO t SELECT generate_series(1, 200000);\n\\copy t to big\n\\copy t from big\nSELECT count(*) FROM t \\g count\n',
    ['-At'],
  )
  expect([status, stderr]).toEqual([0, ''])
  expect(readFileSync(`${directory}/count`, 'utf8')).toBe('400000\n')
  expect(readFileSync(`${directory}/big`, 'utf8').endsWith('\n200000\n')).toBe(true)
})

test('\\copy reads all of a program that has ended before the server takes the first row', async () => {
  const keeper = await session.connect()
  await keeper.query('CREATE TABLE kept (n int)')
  await keeper.query('BEGIN; LOCK TABLE kept')
  const copied = run("\\copy kept from program 'seq 3; echo $$ > pid'\n")
  const pid = Number(await until('it has printed', () => contentOf(`${directory}/pid`)))
  await until('it has ended', () => !isRunning(pid))
  await keeper.query('COMMIT')
  expect(await copied).toEqual({ status: 0, stdout: 'COPY 3\n', stderr: '' })
  await keeper.end()
})

test('an argument that is not known is refused, and those that are known are named', async () => {
  const { status, stderr } = await run('', ['-H'])
  expect(status).toBe(2)
  expect(stderr).toMatch(/^howdah: Unknown option '-H'; without psql, there are -c -f /)
  expect((await run('', ['app'])).stderr).toMatch(/^howdah: "app" is not understood/)
})

test('a script ends with its connection', async () => {
  const { status, stdout, stderr } = await run(
    'SELECT 1;\nSELECT pg_terminate_backend(pg_backend_pid());\nSELECT 2;',
    ['-At'],
  )
  expect([status, stdout]).toEqual([2, '1\n'])
  expect(stderr).toBe(
    'FATAL:  terminating connection due to administrator command\nthe connection to the server was lost\n',
  )
})
