import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project, start } from './project.ts'

/** In ms: each command starts and stops servers. */
const patience = 120_000

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

const howdah = async (...args: string[]) => await project.answer(args)

async function json<T>(...args: string[]): Promise<T> {
  const { status, stdout, stderr } = await howdah(...args, '--json')
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: expect.any(String) })
  return JSON.parse(stdout) as T
}

const sql = async (dataDir: string, statement: string) => {
  const result = await howdah('shell', '-D', dataDir, '-c', statement)
  expect(result).toMatchObject({ status: 0 })
  return result.stdout
}

// In the order of a cluster's life, each from what the one before has left.
describe.sequential('howdah backup and restore', { timeout: patience }, () => {
  test.each([
    [['backup'], 2, /required option '--into <dir>' not specified/],
    [['backup', '--into', 'backups'], 1, /there is no PostgreSQL cluster in .*; create one/],
    [['restore', '--to', 'other'], 2, /required option '--from <dir>' not specified/],
    [['restore', '--from', 'backups'], 2, /required option '--to <path>' not specified/],
    [['restore', '--from', 'backups', '--to', 'other'], 1, /there are no backups in .*; check/],
    [
      ['restore', '--from', 'a', '--to', 'b', '--name', 'x', '--lsn', '0/1'],
      2,
      /exclude each other/,
    ],
    [['restore', '--from', 'a', '--to', 'b', '--name', 'x', '--exclusive'], 2, /--exclusive goes/],
    [['restore', '--from', 'a', '--to', 'b', '--time', 'noon'], 2, /2026-03-01T12:00:00Z/],
  ] as const)('%j: status %i', async (args, status, words) => {
    expect(await howdah(...args)).toEqual({
      status,
      stdout: '',
      stderr: expect.stringMatching(words),
    })
  })

  test('backs up, and says where', async () => {
    await sql(project.dataDir, 'CREATE TABLE elephants (name text)')
    expect(await howdah('backup', '--into', 'backups')).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(/backed up .* into .*backups\/data\.0000000001: [\d.]+ MB\n$/),
    })
    expect(await json('backup', '--into', 'backups')).toMatchObject({
      number: 2,
      path: project.file('backups', 'data.0000000002'),
      endedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  test('restores the latest, and says how to start it', async () => {
    await sql(project.dataDir, `INSERT INTO elephants VALUES ('Ganesha')`)
    const { stderr, ...rest } = await howdah('restore', '--from', 'backups', '--to', "it's new")
    expect(rest).toEqual({ status: 0, stdout: '' })
    expect(stderr).toMatch(/restored .*it's new from backup 2: .*up to LSN /)
    expect(stderr).toMatch(/superusers: \w+\n/)
    expect(stderr).toContain(`howdah start -D '${project.file(String.raw`it'\''s new`)}'\n`)
    expect(await sql(project.file("it's new"), 'SELECT * FROM elephants')).toContain('Ganesha')
    rmSync(project.file("it's new"), { recursive: true })
  })

  test('verifies', async () => {
    expect(await howdah('verify', 'backups')).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringMatching(/^2 backups, \d+ WAL files, all sound\n$/),
    })
    const path = project.file('backups', 'data.0000000001', 'PG_VERSION')
    const text = readFileSync(path)
    writeFileSync(path, 'eleven\n')
    expect(await howdah('verify', 'backups', '-q')).toEqual({
      status: 1,
      stdout: `${path} has 7 bytes and not 3; back up again, and remove that one\n`,
      stderr: '',
    })
    const { status, stdout } = await howdah('verify', 'backups', '--json')
    writeFileSync(path, text)
    expect([status, JSON.parse(stdout)]).toMatchObject([1, { findings: [{ path }] }])
    expect(await howdah('verify', 'nowhere')).toMatchObject({ status: 1, stdout: '' })
  })

  test('restores up to a point', async () => {
    await sql(project.dataDir, `SELECT pg_create_restore_point('lonely')`)
    await sql(project.dataDir, `INSERT INTO elephants VALUES ('Hannibal')`)
    const target = ['restore', '--from', 'backups', '--to', 'other', '--name', 'lonely']
    expect(await json(...target, '--backup', '1')).toMatchObject({
      dataDir: project.file('other'),
      backup: { number: 1 },
      lastTransaction: expect.any(String),
      superusers: [expect.any(String)],
    })
    const rows = await sql(project.file('other'), 'SELECT * FROM elephants')
    expect(rows).toContain('Ganesha')
    expect(rows).not.toContain('Hannibal')
    expect(await howdah('backup', '--into', 'backups', '--keep', '0')).toMatchObject({ status: 2 })
    expect(await howdah('backup', '--into', 'backups', '--keep', '2')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('removed backup 1\n'),
    })
    expect(await howdah('restore', '--from', 'backups', '--to', 'x', '--lsn', 'z')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('pg_current_wal_lsn()'),
    })
  })

  test('restores over a cluster, which is saved, and brought back by undo', async () => {
    const data = project.file('other')
    const elephants = async () => await sql(data, 'SELECT * FROM elephants')
    await sql(data, `INSERT INTO elephants VALUES ('Kandula')`)
    const restore = ['restore', '--from', 'backups', '--to', 'other', '--name', 'lonely']
    // Nothing that fails changes it.
    for (const [status, args] of [
      [1, [...restore, '--from', 'nowhere']],
      [1, [...restore, '--name', 'missing']],
    ] as const) {
      expect((await howdah(...args)).status).toBe(status)
      expect(await elephants()).toContain('Kandula')
    }
    const user = start(project.path, ['exec', '-D', data, '--', 'sh', '-c', 'echo here; read x'], {
      input: null,
    })
    await user.says('here')
    expect(await howdah(...restore)).toMatchObject({
      status: 75,
      stderr: expect.stringContaining(`cannot replace ${data}: it is in use by pid `),
    })
    user.child.stdin?.end()
    expect((await user.result).stderr).toBe('')
    expect(readdirSync(project.file('.howdah-saved'))).toEqual([])
    const { status, stderr } = await howdah(...restore)
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'what was there: it is saved for 7 days: "howdah undo" brings it back\n',
      ),
    ])
    expect(await elephants()).not.toContain('Kandula')
    expect((await json<object[]>('undo', 'list', '-D', data)).length).toBe(1)
    expect((await howdah('undo', '-D', data)).status).toBe(0)
    expect(await elephants()).toContain('Kandula')
    await howdah('undo', 'clear', '-D', data)
    expect((await howdah(...restore, '--no-save')).stderr).not.toContain('what was there')
    expect(await elephants()).not.toContain('Kandula')
    expect(await json('undo', 'list', '-D', data)).toEqual([])
    expect((await json<{ dataDir: string }[]>('ls')).map(({ dataDir }) => dataDir)).toContain(data)
  })
})
