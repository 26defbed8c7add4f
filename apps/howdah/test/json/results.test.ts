import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { linuxOnly, onlyIf, postgresPackage, startNpmRegistry } from '@howdah/fixtures'
import { encodeLtx } from '@howdah/ltx'
import { FileReplica } from '@howdah/replica'
import { bundled } from '@howdah/runtime'
import sqlite from 'node-sqlite3-wasm'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Project, type Running } from '../project.ts'
import { differences, documented, type Printed } from './documented-results.ts'

const older = postgresPackage(15)
const tellsHolders = linuxOnly('/proc/locks, which tells who holds a lock')
const two = onlyIf(older !== null, 'there is no PostgreSQL 15 here')

let project: Project
let env: NodeJS.ProcessEnv = {}
/** The commands of the page that have run. */
const seen = new Set<string>()
/** Their results. */
const results: Printed[] = []

beforeAll(async () => {
  project = new Project()
  const runtime = older === null ? null : await bundled({ packages: [older] }).fallback()
  // First on PATH, it is what a new cluster is made with.
  if (runtime !== null) env = { PATH: `${runtime.bindir}:${process.env['PATH']}` }
  write('howdah.json', JSON.stringify({ databases: ['app'], init: 'init.sql' }))
  write('init.sql', 'CREATE TABLE pets (name text);')
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

function write(name: string, text: string): void {
  writeFileSync(project.file(name), text)
}

/** Runs a command of the page's table with more words, for its result to be checked by the type in the table. */
async function check(
  command: string,
  more: readonly string[] = [],
  wanted = { status: 0 },
): Promise<unknown> {
  const type = documented.get(command)
  expect([command, type]).toEqual([command, expect.any(String)])
  seen.add(command)
  const words = command.split(' ').filter((word) => /^[a-z-]+$/.test(word))
  const { status, stdout, stderr } = await project.answer([...words, ...more, '--json'], { env })
  expect({ command, status, stderr }).toEqual({ command, ...wanted, stderr: expect.any(String) })
  results.push({ type: type ?? '', json: stdout })
  return JSON.parse(stdout)
}

async function quietly(...args: string[]): Promise<void> {
  const { status, stderr } = await project.answer([...args, '-q'], { env })
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr })
}

// In the order of a cluster's life, each from what the one before has left.
describe.sequential('the results that the page about JSON describes', () => {
  test('of the server', async () => {
    expect(await check('status')).toMatchObject({ state: 'missing' })
    const failed = await project.answer(['url', '--json'])
    results.push({ type: 'Failure', json: failed.stderr })
    await check('start', ['--tcp'])
    expect(await check('status')).toMatchObject({ state: 'running', mode: 'safe' })
    const user = project.start(['exec', 'sh', '-c', 'echo ready; read line'], { env, input: null })
    await user.says('ready')
    expect(await check('status')).toMatchObject({ users: [{ pid: user.child.pid }] })
    const all = (await check('ls')) as { dataDir: string; users: object[] }[]
    expect(all.find(({ dataDir }) => dataDir === project.dataDir)?.users).toHaveLength(1)
    user.child.stdin?.end('\n')
    await user.result
    await check('url')
    await check('stop')
    expect(await check('status')).toMatchObject({ state: 'stopped' })
    await quietly('start')
  })

  test('of settings', async () => {
    const all = (await check('config list')) as { kind: string }[]
    expect(new Set(all.map(({ kind }) => kind))).toEqual(
      new Set(['boolean', 'number', 'memory', 'time', 'enum', 'list', 'string']),
    )
    await check('config set', ['work_mem', '7MB'])
    expect(await check('config get', ['work_mem'])).toMatchObject({ text: '7MB' })
    await check('config reset', ['work_mem'])
    await check('config reset', ['--all'])
  })

  test('of databases', async () => {
    await check('createdb', ['one'])
    expect(await check('databases')).toContain('one')
    await check('superusers')
    await check('dropdb', ['one'])
    expect(await check('undo list')).toMatchObject([{ kind: 'database', name: 'one' }])
    await check('undo')
    await check('dump --to FILE', ['app.sql', '-d', 'app'])
    expect(await check('load', ['app.sql', '-d', 'one'])).toMatchObject({ database: 'one' })
    write('init.sql', 'CREATE TABLE toys (name text);')
    expect(await check('apply')).toMatchObject({ applied: ['init'] })
  })

  test('of databases of tests', async () => {
    const { url } = (await check('url')) as { url: string }
    const testing = new URL('../../../../packages/testing/dist/index.js', import.meta.url)
    const script = `const { testDatabases } = await import('${testing.href}');
      const db = await testDatabases({ server: process.argv[1] }).create({ test: 'a test' });
      console.log('made ' + new URL(db.url).pathname); process.stdin.resume();`
    const maker = spawn(process.execPath, ['--input-type=module', '-e', script, url], {
      cwd: project.path,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [made] = (await once(maker.stdout, 'data')) as [Buffer]
    const name = /^made \/(.*)$/m.exec(String(made))?.[1] ?? ''
    const listed = await check('testdb ls', ['--server', url])
    expect(listed).toContainEqual(expect.objectContaining({ name, test: 'a test', isOwned: true }))
    maker.kill('SIGKILL')
    await once(maker, 'close')
    expect(await check('testdb drop', [name, '--server', url])).toEqual({ dropped: [name] })
  })

  test('of snapshots and branches', async () => {
    await check('snapshot save', ['clean'])
    await check('snapshot restore', ['clean', '--to', 'other'])
    expect(await check('snapshot list')).toMatchObject([{ name: 'clean', database: 'app' }])
    await check('snapshot drop', ['clean'])
    await check('branch NAME', ['try'])
    expect(await check('branch list')).toMatchObject([{ name: 'main' }, { parent: 'main' }])
    const all = (await check('ls')) as object[]
    expect(all).not.toEqual([])
    await check('reset --branch NAME', ['try'])
    await check('branch drop', ['try'])
  })

  test('of copies and backups', async () => {
    await check('clone', ['--to', 'copy'])
    await check('destroy', ['-D', 'copy', '--no-save'])
    await check('backup', ['--into', 'backups'])
    const restored = await check('restore', ['--from', 'backups', '--to', 'back'])
    expect(restored).toMatchObject({ backup: { number: 1 } })
    await quietly('destroy', '-D', 'back', '--no-save')
    expect(await check('verify', ['backups'])).toMatchObject({ findings: [] })
    const wal = project.file('backups', 'wal')
    for (const name of readdirSync(wal)) truncateSync(`${wal}/${name}`, 8192)
    const { findings } = (await check('verify', ['backups'], { status: 1 })) as {
      findings: object[]
    }
    expect(findings).not.toEqual([])
    await quietly('stop')
  })

  test.skipIf(two.skip)('of upgrades (skipped without PostgreSQL 15)', async () => {
    expect(await check('upgrade')).toMatchObject({ outcome: 'modified' })
    expect(await check('upgrade')).toMatchObject({ outcome: 'unmodified' })
    expect(await check('upgrade --drop-old')).toMatchObject({
      removed: [`${project.dataDir}.pg15`],
    })
  })

  test('of the end of a cluster', async () => {
    await check('reset')
    await check('destroy')
    expect(await check('undo list')).toMatchObject([{ kind: 'cluster' }, { kind: 'cluster' }])
    await check('undo')
    expect(await check('undo clear')).not.toEqual({ removed: 0 })
  })

  test('of the machine', async () => {
    await check('version')
    await check('runtimes')
    await check('runtimes remove', ['99'])
    if (older !== null) await checkInstallation(older)
    const { pid } = (await check('start')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await project.isQuiet()
    expect(await check('doctor', ['--here'], { status: 1 })).not.toEqual([])
    await quietly('exec', 'true')
  })

  test('of locks', tellsHolders, async () => {
    const held = await holding('lock', 'a.lock')
    expect(await check('lock PATH', ['a.lock'])).not.toMatchObject({ holders: [] })
    await end(held)
  })

  test('of leases', async () => {
    expect(await check('lease show', ['a'])).toMatchObject({ lease: null })
    const leased = await holding('lease', 'a', '--')
    expect(await check('lease show', ['a'])).toMatchObject({ held: true, lease: { problem: null } })
    await end(leased)
    await check('lease reset', ['a'])
  })

  test('of replicas of SQLite databases', async () => {
    await writeReplica()
    expect(await check('replica ls', ['replica'])).toMatchObject([{ kind: 'ltx' }])
    await check('replica verify', ['replica'])
    await check('replica restore', ['replica', '--to', 'restored.db'])
    const [name = ''] = readdirSync(project.file('replica/ltx/0'))
    truncateSync(project.file('replica/ltx/0', name), 100)
    expect(await check('replica verify', ['replica'], { status: 1 })).toMatchObject({ files: 1 })
  })

  test('are of these types', () => {
    expect(differences(results)).toEqual([])
  })
})

/** Installs and removes the PostgreSQL of a package. */
async function checkInstallation(directory: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as {
    version: string
  }
  await using registry = await startNpmRegistry(directory, [version], project.path)
  const before = env
  env = {}
  vi.stubEnv('npm_config_registry', registry.url)
  vi.stubEnv('npm_config_cache', project.file('npm'))
  vi.stubEnv('HOWDAH_CACHE_DIR', project.file('cache'))
  expect(await check('runtimes install', ['15'])).toMatchObject({
    version: expect.stringMatching(/^15\./) as unknown,
  })
  expect(await check('runtimes remove', ['15'])).toMatchObject({ changed: true })
  vi.unstubAllEnvs()
  env = before
}

async function holding(...words: string[]): Promise<Running> {
  const holder = project.start([...words, 'sh', '-c', 'echo held; read line'], { env, input: null })
  await holder.says('held')
  return holder
}

async function end(holder: Running): Promise<void> {
  holder.child.stdin?.end('\n')
  await holder.result
}

/** Writes a replica with one LTX file. */
async function writeReplica(): Promise<void> {
  const path = project.file('original.db')
  const database = new sqlite.Database(path)
  database.exec('CREATE TABLE elephants (name TEXT)')
  database.close()
  const bytes = readFileSync(path)
  const pageSize = 4096
  const pages = Array.from({ length: bytes.length / pageSize }, (_, index) => ({
    number: index + 1,
    data: bytes.subarray(index * pageSize, (index + 1) * pageSize),
  }))
  const header = { pageSize, commit: pages.length, minTxid: 1n, maxTxid: 1n, timestamp: 0n }
  const replica = new FileReplica(project.file('replica'))
  await replica.writeLtxFile(0, 1n, 1n, encodeLtx(header, pages))
}

test('each command that takes --json is in the table', async () => {
  const { stdout } = await project.answer(['--help'])
  const names = [...stdout.matchAll(/^ {2}([a-z]+)(?:\|[a-z]+)? /gm)].map(([, name = '']) => name)
  expect(names).toContain('exec')
  const helps = await Promise.all(names.map(async (name) => await project.answer([name, '--help'])))
  const withJson = names.filter((_, index) => helps[index]?.stdout.includes('--json'))
  const inTable = new Set([...documented.keys()].map((command) => command.split(' ', 1).join('')))
  expect(new Set(withJson)).toEqual(inTable)
})

test('each result of the table was checked', () => {
  const unchecked = [...documented.keys()].filter((command) => !seen.has(command))
  const needTwo = ['upgrade', 'upgrade --drop-old', 'runtimes install']
  const left = [...(two.skip ? needTwo : []), ...(tellsHolders.skip ? ['lock PATH'] : [])]
  expect(new Set(unchecked)).toEqual(new Set(left))
})

describe('a result that is not as documented is found:', () => {
  const whole = { changed: true, dataDir: '/data' }
  test.each<[string, Printed, RegExp]>([
    ['none', { type: 'Changed', json: JSON.stringify(whole) }, /^$/],
    ['a missing field', { type: 'Changed', json: '{"changed":true}' }, /'dataDir' is missing/],
    ['a new field', { type: 'Changed', json: JSON.stringify({ ...whole, more: 1 }) }, /more/],
    ['a value', { type: 'Changed[]', json: JSON.stringify([{ ...whole, dataDir: null }]) }, /null/],
    ['a time', { type: 'Time', json: '"12:00"' }, /"12:00"/],
    ['a state', { type: 'Listed[]', json: '[{"dataDir":"/","state":"stopped"}]' }, /Stopped/],
  ])('%s', (_, printed, message) => {
    expect(differences([printed]).join('\n')).toMatch(message)
  })
})
