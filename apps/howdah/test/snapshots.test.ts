import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onlyIf } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

let project: Project
beforeAll(async () => {
  project = new Project()
  await howdah('start', '--mode', 'fast')
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

const howdah = async (...args: string[]) => await project.answer(args)
const sql = async (database: string, text: string, ...args: string[]) => {
  const { stdout } = await howdah('-q', '-d', database, '-c', text, ...args)
  return stdout
}

// In the order of a snapshot's life, each from what the one before has left.
describe.sequential('howdah snapshot', () => {
  const name = 'it\'s "clean"'

  test('saves, lists, restores and drops', async () => {
    await sql('App', 'CREATE TABLE kept AS SELECT 41 + 1 AS answer')
    const saved = await howdah('snapshot', 'save', name, '-d', 'App')
    expect(saved).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(/saved snapshot it's "clean" of database App: \d+\.\d MB\n$/),
    })
    const again = await howdah('snapshot', 'save', name, '-d', 'App')
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('already') })
    await sql('App', 'DROP TABLE kept')
    const restored = await howdah('snapshot', 'restore', name, '-d', 'App')
    expect([restored.status, restored.stderr]).toEqual([
      0,
      expect.stringMatching(/restored database App from .*"howdah undo" brings it back\n$/),
    ])
    expect(await sql('App', 'TABLE kept')).toContain('42')
    expect((await howdah('databases')).stdout).toBe('App\npostgres\ntemplate0\ntemplate1\n')
    const { stdout } = await howdah('snapshot', 'list')
    expect(stdout).toMatch(/^it's "clean" +of App +\S+Z +\d+\.\d MB\n$/)
    await howdah('undo')
    expect((await howdah('-d', 'App', '-c', 'TABLE kept')).status).not.toBe(0)
    const to = await howdah('snapshot', 'restore', name, '-d', 'App', '--to', 'other', '--json')
    expect(JSON.parse(to.stdout)).toMatchObject({
      name,
      database: 'App',
      to: 'other',
      saved: false,
    })
    expect(await sql('other', 'TABLE kept')).toContain('42')
    expect((await howdah('snapshot', 'drop', name, '-d', 'App')).stderr).toContain('dropped')
    expect(await howdah('snapshot', 'list')).toMatchObject({
      stdout: '',
      stderr: 'there are no snapshots\n',
    })
  })

  test('copies a database with createdb --template', async () => {
    const made = await howdah('createdb', 'third', '--template', 'other')
    expect(made.stderr).toBe('created database third\n')
    expect(await sql('third', 'TABLE kept')).toContain('42')
  })

  test('says who is connected, with status 75, and ends their sessions with --force', async () => {
    const busy = project.start(['exec', '-d', 'other', '--', ...client])
    await busy.says('connected')
    for (const words of [
      ['snapshot', 'save', 'x', '-d', 'other'],
      ['createdb', 'fourth', '--template', 'other'],
    ]) {
      const refused = await howdah(...words)
      expect([refused.status, refused.stderr]).toEqual([
        75,
        expect.stringMatching(/connected to it: my app as ".*", idle, since .* \(backend \d+\)/),
      ])
    }
    const forced = await howdah('snapshot', 'save', 'x', '-d', 'other', '--force')
    expect(forced.status).toBe(0)
    expect((await busy.result).stdout).toContain('lost')
  })

  const python = onlyIf(
    runs('python3', '-c', 'import pty, os; os.waitstatus_to_exitcode'),
    'there is no python3 with pty',
  )
  test('asks on a terminal whether to end their sessions', python, async () => {
    const by = ['python3', fileURLToPath(new URL('terminal.py', import.meta.url))]
    const busy = project.start(['exec', '-d', 'other', '--', ...client])
    await busy.says('connected')
    const answer = async (word: string) => {
      const args = ['snapshot', 'restore', 'x', '-d', 'other', '--no-save']
      const running = project.start(args, { by, input: null })
      await running.says('end these sessions? [y/N] ')
      running.child.stdin?.write(`${word}\r`)
      return await running.result
    }
    const refused = await answer('n')
    expect([refused.status, refused.stdout]).toEqual([75, expect.stringContaining('my app')])
    expect((await answer('y')).stdout).toContain('restored database other')
    expect((await busy.result).stdout).toContain('lost')
  })

  test.each([
    [['snapshot', 'save'], /say which/],
    [['snapshot', 'list', 'x'], /it takes no name/],
    [['snapshot', 'keep', 'x'], /there is no such action; "save", "restore", "list" or "drop"/],
    [['snapshot', 'save', ''], /cannot be the name of a snapshot/],
  ])('%j is misused', async (args, message) => {
    expect(await howdah(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(message),
    })
  })
})

/** A program that stays connected, and says when its connection ends. */
const client = [
  'node',
  '-e',
  `const { createRequire } = require('node:module')
   const { Client } = createRequire(${JSON.stringify(fileURLToPath(import.meta.url))})('pg')
   const client = new Client({ application_name: 'my app' })
   client.on('error', () => console.log('lost'))
   client.connect().then(() => console.log('connected'))`,
]

describe.sequential('howdah branch', () => {
  const main = () => realpathSync(project.dataDir)

  test('makes a branch of the running cluster, which --branch uses', async () => {
    await sql('App', 'CREATE TABLE IF NOT EXISTS pets AS SELECT 1 AS n')
    const made = await howdah('branch', 'feature/one')
    const dataDir = project.file('.howdah/branches/feature=2Fone')
    expect([made.status, made.stderr]).toEqual([
      0,
      expect.stringMatching(
        /made branch feature\/one of main in [\d.]+ s: .*\nuse it with: howdah --branch feature\/one\n/,
      ),
    ])
    await sql('App', 'UPDATE pets SET n = 2', '--branch', 'feature/one')
    expect(await sql('App', 'TABLE pets')).toContain('1')
    expect(await sql('App', 'TABLE pets', '-D', dataDir)).toContain('2')
    const inside = await howdah(
      'exec',
      '--branch',
      'feature/one',
      '--',
      'node',
      '-p',
      'process.env.PGDATA',
    )
    expect(inside.stdout).toBe(`${dataDir}\n`)
  })

  test('lists them, here and with all clusters', async () => {
    await howdah('branch', 'deeper', '--branch', 'feature/one')
    expect((await howdah('branch')).stdout).toMatch(
      /^\* main +running\n {2}deeper +stopped +of feature\/one +\S+Z\n {2}feature\/one +stopped +of main +\S+Z\n$/,
    )
    const { stdout } = await howdah('branch', 'list', '--branch', 'deeper', '--json')
    const rows = JSON.parse(stdout) as { name: string; current: boolean; parent: string | null }[]
    expect(rows.map(({ name, current, parent }) => [name, current, parent])).toEqual([
      ['main', false, null],
      ['deeper', true, 'feature/one'],
      ['feature/one', false, 'main'],
    ])
    expect((await howdah('ls')).stdout).toContain(`branch deeper of ${main()}`)
  })

  test('drops one, which undo brings back; makes one anew from its parent', async () => {
    const dropped = await howdah('branch', 'drop', 'feature/one')
    expect(dropped.stderr).toContain('"howdah undo --branch feature/one" brings it back')
    const gone = await howdah('status', '--branch', 'feature/one')
    expect(gone).toMatchObject({ status: 2, stderr: expect.stringContaining('there is no branch') })
    expect((await howdah('undo', '--branch', 'feature/one')).status).toBe(0)
    expect(await sql('App', 'TABLE pets', '--branch', 'feature/one')).toContain('2')
    const reset = await howdah('reset', '--branch', 'feature/one')
    expect(reset.stderr).toContain('made branch feature/one anew, as a copy of main')
    expect(await sql('App', 'TABLE pets', '--branch', 'feature/one')).toContain('1')
    for (const name of ['feature/one', 'deeper'])
      expect((await howdah('branch', 'drop', name, '--no-save')).status).toBe(0)
  })

  test.each([
    [
      ['-c', 'SELECT 1', '--branch', 'none'],
      /there is no branch none of .*"howdah branch NAME" makes one/,
    ],
    [['branch', 'main'], /means the cluster itself/],
    [['branch', 'drop'], /say which/],
    [['branch', 'one', 'two'], /there is no such action/],
    [['reset', '--branch', 'main'], /main is the cluster itself/],
  ])('%j is misused, and makes nothing', async (args, message) => {
    expect(await howdah(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(message),
    })
    expect((await howdah('branch')).stdout).toMatch(/^\* main +running\n$/)
  })
})

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
