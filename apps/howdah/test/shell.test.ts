import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

/** PostgreSQL with psql, if the system has one; and the bundled one, without. */
const shells = [
  { name: 'psql', args: [], exists: runs('psql', '--version') },
  { name: 'the built-in prompt', args: ['--runtime', '**/trees/**'], exists: true },
]

describe.each(shells.filter(({ exists }) => exists))(
  'the shell: $name',
  ({ name, args: always }) => {
    let project: Project
    let env: NodeJS.ProcessEnv
    beforeAll(async () => {
      project = new Project()
      mkdirSync(project.file('bin'))
      symlinkSync(process.execPath, project.file('bin', 'node'))
      // Nothing but node.
      env = name === 'psql' ? {} : { PATH: project.file('bin') }
      writeFileSync(project.file('good.sql'), "SELECT 'from a file' AS f; SELECT 2")
      writeFileSync(project.file('bad.sql'), 'SELECT 1;\n\nSELECT 1/0;\nSELECT 2;\n')
      await shell(['-c', 'CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL)'])
      await project.howdah(['start', ...always], { env })
    })
    afterAll(async () => {
      await project[Symbol.asyncDispose]()
    })
    const shell = (args: string[], input?: string) =>
      project.answer([...always, ...args], { env, ...(input !== undefined && { input }) })

    test('runs -c and -f in their order, all on one connection', async () => {
      const words = [
        '-c',
        'CREATE TEMP TABLE t AS SELECT 7 AS n',
        '-f',
        'good.sql',
        '-c',
        'SELECT n FROM t',
      ]
      const { status, stdout, stderr } = await project.howdah([...always, ...words], { env })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(
        /^SELECT 1\n +f *\n-+\n from a file\n\(1 row\)\n[^]* 2\n\(1 row\)\n[^]* 7\n\(1 row\)\n/,
      )
    })

    test('runs what comes from stdin, the last statement without a semicolon too', async () => {
      const input = "SELECT 1 AS a; -- one;\nSELECT ';' AS b"
      const { status, stdout, stderr } = await project.howdah(always, { env, input })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^ a *\n---\n 1\n\(1 row\)\n\n? b *\n---\n ;\n\(1 row\)\n\n?$/)
    })

    test('an empty stdin is not an error', async () => {
      expect(await shell(['shell'], '')).toEqual({ status: 0, stdout: '', stderr: '' })
    })

    test.each([
      ['-c: 1', ['-c', 'SELECT 1/0', '-c', "SELECT 'later'"], undefined, 1, ''],
      ['-f: 3', ['-f', 'bad.sql', '-c', "SELECT 'later'"], undefined, 3, 'bad.sql:3: '],
      ['stdin: 3', [], 'SELECT 1;\nSELECT 1/0;\nSELECT 3', 3, '(?:<stdin>:2: )?'],
    ])('stops at the first error of %s', async (_, args, input, status, where) => {
      const result = await shell(args, input)
      expect({ status: result.status, stderr: result.stderr }).toMatchObject({ status })
      expect(result.stderr).toMatch(new RegExp(`^(?:psql:)?${where}ERROR: +division by zero\n$`))
      expect(result.stdout).not.toMatch(/later|2|3/)
    })

    test('a file that cannot be read: 1', async () => {
      const { status, stderr } = await shell(['-f', 'missing.sql'])
      expect([status, stderr]).toEqual([1, expect.stringMatching(/missing\.sql.*no such file/i)])
    })

    test('an error has its place and its hint', async () => {
      const { stderr } = await shell(['-c', 'SELECT nam FROM person'])
      expect(stderr).toMatch(
        /^ERROR: +column "nam" does not exist\nLINE 1: SELECT nam FROM person\n {15}\^\nHINT: /,
      )
    })

    test('what the server remarks is a message, and no result', async () => {
      const { status, stdout, stderr } = await shell([
        '-c',
        "DO $$ BEGIN RAISE NOTICE 'hear; hear'; END $$",
      ])
      expect([status, stdout, stderr]).toEqual([0, 'DO\n', 'NOTICE:  hear; hear\n'])
    })

    test('COPY TO STDOUT writes the data, and nothing else', async () => {
      const many = 'COPY (SELECT generate_series(1, 100000)) TO STDOUT'
      const { status, stdout, stderr } = await shell(['-c', many])
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toBe(Array.from({ length: 100_000 }, (_, index) => `${index + 1}\n`).join(''))
      const binary = await shell(['-c', "COPY (SELECT 'é') TO STDOUT WITH (ENCODING latin1)"])
      expect([binary.status, binary.stdout]).toEqual([0, '\ufffd\n'])
    })

    test('COPY FROM STDIN reads stdin after -c, and the lines that follow in a file', async () => {
      const table = 'CREATE TEMP TABLE t (n int, name text)'
      const sum = 'COPY (SELECT count(*), sum(n) FROM t) TO STDOUT'
      const rows = Array.from({ length: 50_000 }, (_, index) => `${index}\tname\n`).join('')
      const copied = await shell(['-c', table, '-c', 'COPY t FROM STDIN', '-c', sum], rows)
      expect(copied).toEqual({
        status: 0,
        stdout: 'CREATE TABLE\nCOPY 50000\n50000\t1249975000\n',
        stderr: '',
      })
      const script = `${table};\nCOPY t FROM STDIN;\n1\tit's; one\n2\ttwo\n\\.\n${sum};\nSELECT 1/0;\n`
      writeFileSync(project.file('copy.sql'), script)
      const { status, stdout, stderr } = await shell(['-f', 'copy.sql'])
      expect([status, stdout]).toEqual([3, 'CREATE TABLE\nCOPY 2\n2\t3\n'])
      expect(stderr).toMatch(/^(?:psql:)?copy\.sql:7: ERROR: +division by zero\n$/)
    })

    test('a COPY that fails says why, and is not taken for done', async () => {
      const bad = await shell(['-c', 'COPY person FROM STDIN'], 'one\ttwo\n')
      expect([bad.status, bad.stdout]).toEqual([1, ''])
      expect(bad.stderr).toMatch(/^ERROR: +invalid input syntax for type integer: "one"\n/)
    })

    test("howdah's own failures are 125", async () => {
      const { status, stderr } = await shell(['-D', '.', '-c', 'SELECT 1'])
      expect([status, stderr]).toEqual([
        125,
        expect.stringMatching(/^howdah: .*holds other things/),
      ])
    })

    test('a signal ends what runs', async () => {
      const running = project.start(
        [...always, '-c', "SELECT 'ready'", '-c', 'SELECT pg_sleep(60)'],
        { env, input: null },
      )
      await running.says('ready')
      running.kill('SIGINT')
      const { status } = await running.result
      // psql ends with 2 if its statement was cancelled, or by the signal if it had not begun.
      expect([1, 2, 130]).toContain(status)
    })
  },
)

describe('the built-in prompt', () => {
  let project: Project
  beforeEach(() => {
    project = new Project()
    mkdirSync(project.file('bin'))
    symlinkSync(process.execPath, project.file('bin', 'node'))
  })
  afterEach(async () => {
    await project[Symbol.asyncDispose]()
  })

  test('takes the usual options of psql, and refuses others', async () => {
    const env = { PATH: project.file('bin') }
    const howdah = async (...args: string[]) =>
      await project.howdah(['--runtime', '**/trees/**', ...args], { env })
    expect(await howdah('-c', 'SELECT 1, NULL', '--', '-At', '-P', 'null=?')).toEqual({
      status: 0,
      stdout: '1|?\n',
      stderr: '',
    })
    const { status, stderr } = await howdah('--', '-H')
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^howdah: Unknown option '-H'/)])
  })

  test.runIf(runs('python3', '-c', 'import pty, os; os.waitstatus_to_exitcode'))(
    'converses on a terminal',
    async () => {
      const by = [findPython(), fileURLToPath(new URL('terminal.py', import.meta.url))]
      const history = project.file('history')
      const env = {
        PATH: project.file('bin'),
        TERM: 'xterm',
        PSQL_HISTORY: history,
        PAGER: '/bin/cat',
      }
      const running = project.start(['--runtime', '**/trees/**', '-d', 'app'], {
        env,
        by,
        input: null,
      })
      let heard = 0
      /** Types a line when it is asked for, and waits for what is to come of it. */
      const converse = async (typed: string, answer: string) => {
        running.child.stdin?.write(typed)
        await running.says(answer, heard)
        heard = running.stdout.length
      }
      await running.says('app=# ')
      await converse('create table person (id int primary key,\r', 'app(# ')
      await converse("name text default 'x');\r", 'CREATE')
      await converse('insert into person values (1, null);\r', 'INSERT 0 1')
      await converse('\\pset null NULL\r', 'Null display')
      await converse('select * from person;\r', '| NULL')
      await converse('\\dt\r', '| person | table |')
      await converse('\\d person\r', 'person_pkey')
      await converse('\\l\r', 'template1')
      await converse('copy person from stdin;\r', '>> ')
      await converse('2\tTwo\r', '>> ')
      await converse('\\.\r', 'COPY 1')
      await converse('select name from pers\t', 'person')
      await converse(' where id = 2;\r', 'Two')
      await converse("\\set PROMPT1 '%/%x> '\r", 'app> ')
      await converse('begin;\r', 'app*> ')
      await converse('select nonsense;\r', 'app!> ')
      await converse('rollback;\r', 'app> ')
      await converse("\\set PROMPT1 '%/%R%# '\r", 'app=# ')
      await converse('select generate_series(1, 300);\r', '(300 rows)')
      await converse('\\c postgres\r', 'postgres=# ')
      await converse('\\nonsense\r', 'invalid command')
      await converse('\\?\r', 'list tables')
      await converse('select 1 +\r', 'postgres-# ')
      await converse('\u0003', 'postgres=# ')
      await converse('select nonsense;\r', 'column "nonsense" does not exist')
      running.child.stdin?.write('select pg_sleep(60);\r')
      await running.says('pg_sleep(60)', heard)
      // It may not have begun to run yet: then this only throws the line away, and once more is needed.
      await running.says('canceling statement due to user request', heard, () =>
        running.child.stdin?.write('\u0003'),
      )
      heard = running.stdout.length
      await converse("select 'still' || ' here';\r", 'still here')
      running.child.stdin?.write('\u0004')
      expect((await running.result).status).toBe(0)
      await project.isQuiet()
      expect(statSync(history).mode & 0o777).toBe(0o600)
      const next = project.start(['--runtime', '**/trees/**', '-d', 'app'], {
        env,
        by,
        input: null,
      })
      await next.says('app=# ')
      // The arrow up brings what was typed last in the session before.
      next.child.stdin?.write('\u001B[A')
      await next.says("select 'still' || ' here';")
      next.child.stdin?.write('\r')
      await next.says('still here')
      next.child.stdin?.write('\\q\r')
      expect((await next.result).status).toBe(0)
    },
  )
})

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function findPython(): string {
  return execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim()
}
