import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { linkDirectories } from '@howdah/data-directory'
import { Cluster, sweepTemporary, temporary } from '@howdah/cluster'
import { diagnose, type DiagnoseOptions, type Finding } from '../src/index.ts'
import { newest, Worker } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeEach(() => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
})

afterEach(async () => {
  await cluster.stop({ force: true }).catch(() => undefined)
  home[Symbol.dispose]()
})

const look = async (options: DiagnoseOptions = {}): Promise<Finding[]> =>
  await diagnose({
    dataDirs: [cluster.dataDir],
    scope: 'clusters',
    strategy: newest.strategy,
    ...options,
  })

const modeOf = (path: string) => statSync(path).mode & 0o777
const asRoot = process.getuid?.() === 0

it('removes what is left of a creation that was interrupted', async () => {
  mkdirSync(cluster.dataDir, { mode: 0o700 })
  writeFileSync(home.file('data', 'howdah.creating'), '')
  mkdirSync(home.file('data', 'howdah.initdb-0123456789ab'))
  writeFileSync(home.file('data', 'postgresql.conf'), '')
  {
    // By its lock it is known that somebody is still at it.
    using working = await acquire(cluster.dataDir)
    expect(await look({ fix: true })).toEqual([])
    expect(working.held).toBe(true)
  }
  expect(await look()).toMatchObject([{ check: 'unfinished-work', fixable: true, fixed: false }])
  expect(existsSync(home.file('data', 'postgresql.conf'))).toBe(true)
  expect(await look({ fix: true })).toMatchObject([{ fixed: true }])
  expect(existsSync(cluster.dataDir)).toBe(false)
})

it('does not take a directory with other content for unfinished work', async () => {
  mkdirSync(cluster.dataDir, { mode: 0o700 })
  writeFileSync(home.file('data', 'postgresql.conf'), '')
  expect(await look({ fix: true })).toEqual([])
  expect(readdirSync(cluster.dataDir)).toEqual(['postgresql.conf'])
})

it('removes a cluster to be thrown away that nobody uses any more, and none that is used', async () => {
  {
    await using session = await cluster.run({ throwAway: true })
    expect(await look({ fix: true })).toEqual([])
    expect(await cluster.running()).toBe(true)
    expect(session.started).toBe('modified')
  }
  expect(existsSync(cluster.dataDir)).toBe(false)

  await cluster.create()
  expect(await look({ fix: true })).toEqual([])
  // As a crash of the machine leaves it.
  writeFileSync(home.file('data', 'howdah.throwaway'), '')
  chown(home.file('data', 'howdah.throwaway'))
  expect(await look()).toMatchObject([{ check: 'unfinished-work', fixable: true }])
  expect(await look({ fix: true })).toMatchObject([{ fixed: true }])
  expect(existsSync(cluster.dataDir)).toBe(false)
})

it('names temporary clusters that nobody uses, and not those that are used', async () => {
  process.env['HOWDAH_TEMPORARY_DIR'] = home.path
  try {
    const place = home.file(`howdah-clusters-${process.geteuid?.()}`)
    const left = async () =>
      (await diagnose({ checks: ['unfinished-work'], strategy: newest.strategy })).filter(
        ({ subject }) => subject.path?.startsWith(place),
      )
    {
      await using session = await temporary({ strategy: newest.strategy })
      expect(session.dataDir.startsWith(place)).toBe(true)
      expect(await left()).toEqual([])
    }
    // As a crash of the machine leaves it.
    cpSync(await stoppedCluster(), join(place, '0123456789ab'), { recursive: true })
    writeFileSync(join(place, '0123456789ab', 'howdah.throwaway'), '')
    expect(await left()).toMatchObject([{ subject: { path: place }, fixable: true }])
    expect(await sweepTemporary()).toBeGreaterThan(0)
    expect(await left()).toEqual([])
  } finally {
    delete process.env['HOWDAH_TEMPORARY_DIR']
  }
})

async function stoppedCluster(): Promise<string> {
  await cluster.create()
  return cluster.dataDir
}

it('closes a data directory that is open to others, and lets its group read it', async () => {
  await cluster.create()
  chmodSync(cluster.dataDir, 0o750)
  expect(await look({ fix: true })).toEqual([])
  chmodSync(cluster.dataDir, 0o777)
  expect(await look()).toMatchObject([
    {
      check: 'permissions',
      severity: 'error',
      subject: { path: cluster.dataDir },
      cure: `chmod 0750 '${cluster.dataDir}'`,
      fixable: true,
    },
  ])
  expect(await look({ fix: true })).toMatchObject([{ fixed: true }])
  expect(modeOf(cluster.dataDir)).toBe(0o750)
  expect(await cluster.start()).toBe('modified')
})

it('closes a password that others can read', async () => {
  await cluster.create()
  const file = home.file('data', 'howdah.password')
  writeFileSync(file, 'secret')
  chown(file)
  chmodSync(file, 0o644)
  expect(await look({ fix: true })).toMatchObject([{ subject: { path: file }, fixed: true }])
  expect(modeOf(file)).toBe(0o600)
})

it.runIf(asRoot)('names the files of others in a data directory, and leaves them', async () => {
  await cluster.create()
  const file = home.file('data', 'global', 'howdah.foreign')
  writeFileSync(file, '')
  const { uid } = statSync(cluster.dataDir)
  expect(await look({ fix: true })).toMatchObject([
    {
      check: 'permissions',
      subject: { path: file },
      cure: `as root: chown -Rh ${uid} '${cluster.dataDir}'`,
      fixable: false,
    },
  ])
  expect(lstatSync(file).uid).toBe(0)
})

it.runIf(asRoot)('names a data directory that belongs to root', async () => {
  await cluster.create()
  chownSync(cluster.dataDir, 0, 0)
  expect(await look({ checks: ['permissions'] })).toMatchObject([
    { what: `${cluster.dataDir} belongs to root, and PostgreSQL refuses to run as root` },
  ])
})

it.runIf(asRoot)('leaves to others what root has not been asked for and has not used', async () => {
  const env = { HOWDAH_STATE_DIR: home.file('state') }
  await using worker = new Worker('start', cluster.dataDir, newest, {}, { env })
  await worker.next()
  chmodSync(cluster.dataDir, 0o777)
  const found = async (dataDirs: string[]) =>
    (await diagnose({ dataDirs, checks: ['permissions'], strategy: newest.strategy })).filter(
      ({ subject }) => subject.path === cluster.dataDir,
    )
  expect(await found([])).toMatchObject([
    {
      fixable: false,
      cure: expect.stringMatching(/^as its owner, or with -D: /),
    },
  ])
  expect(await found([cluster.dataDir])).toMatchObject([{ fixable: true }])
})

it('says so if it cannot be told, and goes on', async () => {
  await cluster.create()
  writeFileSync(home.file('data', 'PG_VERSION'), 'elephants\n')
  const found = await look()
  expect(found).toMatchObject([
    {
      severity: 'unknown',
      subject: { path: cluster.dataDir },
      what: expect.stringContaining('which is not a PostgreSQL version'),
      cure: 'restore the file from a backup',
    },
  ])
})

it('mentions that a cluster is in fast mode, whether it runs or not', async () => {
  {
    await using session = await cluster.run({ mode: 'fast' })
    expect(await look()).toMatchObject([{ check: 'modes', severity: 'notice' }])
    expect(session.started).toBe('modified')
  }
  expect(await look({ fix: true })).toMatchObject([{ severity: 'notice', fixed: false }])
})

it('removes links to the sockets of clusters that are no more, and nothing else there', async () => {
  const directory = linkDirectories()[0] ?? ''
  mkdirSync(directory, { mode: 0o700, recursive: true })
  const link = (target: string, suffix = '') => {
    const name = createHash('sha256').update(target).digest('hex').slice(0, 16) + suffix
    symlinkSync(target, join(directory, name))
    return join(directory, name)
  }
  const present = link(home.path)
  const stale = link(home.file('gone'))
  const foreign = join(directory, `0123456789abcdef.of-${process.pid}`)
  symlinkSync(home.file('gone', 'too'), foreign)
  const half = link(home.file('half'), '.4194305')
  try {
    const ours = (findings: Finding[]) =>
      findings
        .map(({ subject }) => subject.path ?? '')
        .filter((path) => [present, stale, foreign, half].includes(path))
        .toSorted()
    const links: DiagnoseOptions = { scope: 'machine', checks: ['stale-links'] }
    expect(ours(await look(links))).toEqual([stale, half].toSorted())
    await look({ ...links, fix: true })
    expect(ours(await look(links))).toEqual([])
    const left = readdirSync(directory).map((name) => join(directory, name))
    expect(left).toEqual(expect.arrayContaining([present, foreign]))
    expect(left).not.toContain(stale)
    expect(left).not.toContain(half)
  } finally {
    const { rmSync } = await import('node:fs')
    for (const path of [present, stale, foreign, half]) rmSync(path, { force: true })
  }
})

/** As root, gives a file to the owner of the data directory. */
function chown(path: string): void {
  const { uid, gid } = statSync(cluster.dataDir)
  if (asRoot) chownSync(path, uid, gid)
}
