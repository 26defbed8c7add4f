import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { onlyIf, postgresPackage } from '@howdah/fixtures'
import { bundled } from '@howdah/runtime'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Project, type Result } from './project.ts'

const older = postgresPackage(15)
const programs = onlyIf(older !== null, 'there is no PostgreSQL 15 here')

let project: Project
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  project = new Project()
  // Commands of other tests look at all clusters that they know, and an upgrade says so if it waits for them.
  vi.stubEnv('HOWDAH_STATE_DIR', project.file('state'))
  const runtime = older === null ? null : await bundled({ packages: [older] }).fallback()
  // First on PATH, it is what a new cluster is made with.
  env = { PATH: `${runtime?.bindir}:${process.env['PATH']}` }
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

async function howdah(...args: string[]): Promise<Result> {
  return await project.answer(args, { env })
}

// In the order of a cluster's life, each from what the one before has left.
describe.skipIf(programs.skip).sequential('howdah upgrade', () => {
  test('there is nothing to upgrade without a cluster: status 1', async () => {
    expect(await howdah('upgrade')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/there is no PostgreSQL cluster in/) as unknown,
    })
    expect(existsSync(project.dataDir)).toBe(false)
  })

  test('another version than that of the cluster is refused with what it is, and with a command that works', async () => {
    expect(await howdah('-c', 'CREATE TABLE pets AS SELECT 1 AS id')).toMatchObject({ status: 0 })
    const refused = await howdah('exec', '--runtime', '18', 'true')
    expect(refused).toMatchObject({ status: 2, stdout: '' })
    const [, command = ''] =
      /^howdah: .* is a cluster of PostgreSQL 15, which PostgreSQL 18 cannot run; .* with: howdah (.*)\n$/.exec(
        refused.stderr,
      ) ?? []
    expect(command).toBe(`upgrade 18 -D ${project.dataDir}`)
    const upgraded = await howdah(...command.split(' '))
    expect(upgraded).toMatchObject({ status: 0, stdout: '' })
    expect(upgraded.stderr).toMatch(
      /^upgraded .* from PostgreSQL 15 to 18\.\d+: 2 databases, 1 tables and 1 rows are the same\nthe old cluster is kept in .*data\.pg15; remove it with: howdah upgrade --drop-old\n$/,
    )
    const status = await howdah('status', '--json')
    expect(JSON.parse(status.stdout)).toMatchObject({ dataDir: project.dataDir, version: '18' })
    const { stdout } = await howdah('ls', '--json')
    const listed = (JSON.parse(stdout) as { dataDir: string; version: string }[]).filter(
      ({ dataDir }) => dataDir.startsWith(project.path),
    )
    expect(listed).toEqual([
      expect.objectContaining({ dataDir: project.dataDir, version: '18' }) as unknown,
    ])
  })

  test('back: the old cluster is moved to its place', async () => {
    expect(await howdah('destroy', '--no-save')).toMatchObject({ status: 0 })
    renameSync(`${project.dataDir}.pg15`, project.dataDir)
    const { stdout } = await howdah('-c', 'TABLE pets', '-c', 'SHOW server_version')
    expect(stdout).toMatch(/ 1\b[^]* 15\./)
  })

  test('75 while it is used, with the pid of who does', async () => {
    const using = project.start(['exec', 'sh', '-c', 'echo ready; read line'], { env, input: null })
    await using.says('ready')
    expect(await howdah('upgrade')).toMatchObject({
      status: 75,
      stderr: expect.stringMatching(
        new RegExp(
          `cannot upgrade .* in use by pid ${using.child.pid} .*; wait until they have left\n$`,
        ),
      ) as unknown,
    })
    using.child.stdin?.end('\n')
    await using.result
  })

  test('--json tells what was compared; --drop-old removes the old one, and a second upgrade does nothing', async () => {
    const upgraded = await howdah('upgrade', '--json')
    expect(JSON.parse(upgraded.stdout)).toEqual({
      outcome: 'modified',
      dataDir: project.dataDir,
      from: '15',
      to: expect.stringMatching(/^18\./) as unknown,
      method: 'dump',
      former: `${project.dataDir}.pg15`,
      databases: [
        { name: 'postgres', tables: 1, rows: 1, sequences: 0 },
        { name: 'template1', tables: 0, rows: 0, sequences: 0 },
      ],
      notices: [],
    })
    expect(await howdah('upgrade', '18', '--drop-old')).toMatchObject({ status: 2 })
    expect(await howdah('upgrade', '--drop-old')).toMatchObject({
      status: 0,
      stderr: `removed ${project.dataDir}.pg15\n`,
    })
    expect(existsSync(`${project.dataDir}.pg15`)).toBe(false)
    expect(await howdah('upgrade')).toMatchObject({
      status: 0,
      stderr: `${project.dataDir} is a cluster of PostgreSQL 18; there is nothing to upgrade\n`,
    })
    expect(await howdah('upgrade', '15')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('PostgreSQL cannot go back to 15') as unknown,
    })
    expect((await howdah('-c', 'TABLE pets')).stdout).toContain('1')
  })
})

describe.skipIf(programs.skip).sequential('howdah upgrade of a project with howdah.json', () => {
  let own: Project
  beforeAll(() => {
    own = new Project()
    writeFileSync(
      own.file('howdah.json'),
      JSON.stringify({ databases: ['app'], init: 'init.sql', seed: 'seed.sql' }),
    )
    writeFileSync(own.file('init.sql'), 'CREATE TABLE pets (name text);')
    writeFileSync(own.file('seed.sql'), "INSERT INTO pets VALUES ('Otis');")
  })
  afterAll(async () => {
    await own[Symbol.asyncDispose]()
  })
  const run = async (...args: string[]): Promise<Result> => await own.howdah(args, { env })

  test('init and seed do not run again', async () => {
    expect(await run('exec', 'true')).toMatchObject({ status: 0 })
    expect(await run('snapshot', 'save', 'clean')).toMatchObject({ status: 0 })
    expect(await run('branch', 'try')).toMatchObject({ status: 0 })
    expect(await run('upgrade')).toMatchObject({ status: 0 })
    const rows = await run('-c', 'SELECT * FROM pets')
    expect(rows).toEqual({ status: 0, stdout: expect.stringContaining('(1 row)'), stderr: '' })
    expect((await run('apply')).stderr).toContain('nothing to apply')
    writeFileSync(own.file('init.sql'), 'CREATE TABLE toys (name text);')
    expect((await run('exec', 'true')).stderr).toContain('has changed since it ran')
  })

  test('a version of before in howdah.json is an error with its line, unless an option says another one', async () => {
    const before = readFileSync(own.file('howdah.json'), 'utf8')
    writeFileSync(own.file('howdah.json'), before.replace(/^{/, '{\n"version": "15",'))
    expect(await run('exec', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        `; change "version" in ${own.file('howdah.json')}:2 to "18", or `,
      ) as unknown,
    })
    expect(await run('exec', '--runtime', '18', 'true')).toMatchObject({ status: 0 })
    expect((await run('exec', '--runtime', '15', 'true')).stderr).toContain(
      '; leave the version out',
    )
    writeFileSync(own.file('howdah.json'), before)
  })

  test('snapshots stay in the old cluster', async () => {
    expect(await run('snapshot', 'list', '--json')).toMatchObject({ status: 0, stdout: '[]\n' })
    const old = ['-D', `${own.dataDir}.pg15`]
    expect((await run('snapshot', 'list', ...old)).stdout).toMatch(/^clean +of app /)
    expect(await run('upgrade', '--drop-old')).toMatchObject({ status: 0 })
  })

  test('a branch stays a branch of main', async () => {
    const listed = async () =>
      JSON.parse((await run('branch', 'list', '--json')).stdout) as object[]
    const before = await listed()
    expect(before).toContainEqual(expect.objectContaining({ name: 'try', parent: 'main' }))
    expect(await run('upgrade', '--branch', 'try')).toMatchObject({ status: 0 })
    expect(await run('upgrade', '--branch', 'try', '--drop-old')).toMatchObject({ status: 0 })
    expect(await listed()).toEqual(before)
    const { stdout } = await run('--branch', 'try', '-c', 'SHOW server_version')
    expect(stdout).toContain(' 18.')
    expect(await run('branch', 'drop', 'try', '--no-save')).toMatchObject({ status: 0 })
  })
})
