import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryDirectory, type TemporaryDirectory, times } from '@howdah/fixtures'
import { onPath, type Strategy } from '@howdah/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cluster, readSystemIdentifier, TemplateCache } from '../../src/index.ts'
import { countInitdb, newest, somePostgres, type Subject, Worker } from '@howdah/postgres-fixtures'

// Each writes thousands of files, and many of them copy a whole PostgreSQL.
vi.setConfig({ testTimeout: 180_000 })

const isRoot = process.getuid?.() === 0

/** From the cache of the whole run: to unpack it into each test's own takes longer than most of the tests. */
async function unpackedOf(subject: Subject): Promise<Subject> {
  const { bindir } = await new Cluster('/nowhere', subject).runtime()
  return { ...subject, strategy: onPath([bindir]), place: { bindir } }
}

/** The newest. */
let unpacked: Subject
/** The same, with a count of the runs of initdb, and a cache with its template, which tests copy into their own. */
let counted: Awaited<ReturnType<typeof countedCopy>>
let prepared: TemporaryDirectory
beforeAll(async () => {
  unpacked = await unpackedOf(newest)
  prepared = inMemory(() => temporaryDirectory())
  counted = await countedCopy(prepared)
  vi.stubEnv('HOWDAH_CACHE_DIR', prepared.file('cache'))
  await new Cluster(prepared.file('one'), counted.postgres).create()
  vi.unstubAllEnvs()
})
afterAll(() => prepared[Symbol.dispose]())

let home: TemporaryDirectory
const caches: (string | undefined)[] = []

// A cache of each test's own, and in memory if there is room: they write tens of thousands of files.
beforeEach(() => {
  home = inMemory(() => temporaryDirectory())
  caches.push(process.env['HOWDAH_CACHE_DIR'])
  useCache(home.file('cache'))
})

afterEach(() => {
  const before = caches.pop()
  if (before === undefined) delete process.env['HOWDAH_CACHE_DIR']
  else useCache(before)
  home[Symbol.dispose]()
})

describe.each(somePostgres)('a template of $name', (subject) => {
  let strategy: Strategy
  beforeAll(async () => {
    strategy = (await unpackedOf(subject)).strategy
  })

  it('makes clusters like those of initdb', async () => {
    const made = new Cluster(home.file('made'), { strategy })
    const clone = new Cluster(home.file('clone'), { strategy })
    await made.create()
    await clone.create()
    expect(await TemplateCache.existing().then((cache) => cache?.list())).toHaveLength(1)
    expect(tree(clone.dataDir)).toEqual(tree(made.dataDir))
    expect(await readSystemIdentifier(clone.dataDir)).not.toBe(
      await readSystemIdentifier(made.dataDir),
    )
    await using session = await clone.run()
    const client = await session.connect()
    const { rows } = await client.query('SELECT datname FROM pg_database ORDER BY 1')
    expect(rows.map(({ datname }) => datname)).toEqual(['postgres', 'template0', 'template1'])
    await client.query('CREATE TABLE t AS SELECT generate_series(1, 1000) AS n')
    expect((await client.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 1000 }])
  })
})

describe('a template', () => {
  it('is made by one of many processes that need it at once', async () => {
    // Of its own: its initdb takes its time.
    const another = await countedCopy()
    const count = times(5, 20)
    const workers = Array.from(
      { length: count },
      (_, index) => new Worker('create', home.file(`data-${index}`), another.postgres),
    )
    try {
      const said = await Promise.all(workers.map(async (worker) => await worker.next()))
      expect(said).toEqual(said.map(() => ({ outcome: 'modified' })))
    } finally {
      await Promise.all(workers.map(async (worker) => await worker.kill()))
    }
    expect(another.times()).toBe(1)
    const identifiers = workers.map(async (_, index) =>
      String(await readSystemIdentifier(home.file(`data-${index}`))),
    )
    expect(new Set(await Promise.all(identifiers)).size).toBe(count)
  })

  it('is made anew when the programs are others, and the old one goes', async () => {
    const replaced = await countedCopy()
    await new Cluster(home.file('one'), replaced.postgres).create()
    await new Cluster(home.file('two'), replaced.postgres).create()
    expect(replaced.times()).toBe(1)

    replaced.replace()
    await new Cluster(home.file('three'), replaced.postgres).create()
    expect(replaced.times()).toBe(2)
    expect(templates()).toHaveLength(1)
  })

  it('whose maker is killed, at any instant, is made by the next, and nothing of the first is left', async () => {
    const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
    const instants = isLong ? [300, 600, 800, 900, 1000, 1100, 1200, 1400] : [300, 800, 1000, 1200]
    for (const [index, instant] of instants.entries()) {
      await using worker = new Worker('create', home.file(`data-${index}`), unpacked)
      await Promise.race([worker.next(), sleep(instant)])
      await worker.kill()
    }
    const { strategy } = unpacked
    await using session = await new Cluster(home.file('data'), { strategy }).run()
    expect(session.started).toBe('modified')
    const left = readdirSync(home.file('cache', 'templates')).filter((name) => /tmp/.test(name))
    expect(left).toEqual([])
  })
})

describe('a template that was made before', () => {
  beforeEach(useTemplate)

  it('is used', async () => {
    const ran = counted.times()
    await new Cluster(home.file('two'), counted.postgres).create()
    expect(counted.times()).toBe(ran)
  })

  it.each([
    ['cut short', (path: string) => truncateSync(path, statSync(path).size - 1)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['garbage', (path: string) => writeFileSync(path, 'x'.repeat(100_000))],
    ['with a damaged index', (path: string) => overwrite(path, 200)],
    ['with a damaged control file', (path: string) => overwriteControlFile(path)],
  ])('but is %s is not used, and made anew', async (_, damage) => {
    const ran = counted.times()
    damage(home.file('cache', 'templates', templates()[0] ?? ''))

    const cluster = new Cluster(home.file('two'), counted.postgres)
    expect(await cluster.create()).toBe('modified')
    expect(counted.times()).toBe(ran + 1)
    await using session = await cluster.run()
    expect(session.started).toBe('modified')

    await new Cluster(home.file('three'), counted.postgres).create()
    expect(counted.times()).toBe(ran + 1)
  })

  it('is not used if it is not ours alone to write', async () => {
    const ran = counted.times()
    const path = home.file('cache', 'templates', templates()[0] ?? '')
    chmodSync(path, 0o620)
    await new Cluster(home.file('two'), counted.postgres).create()
    expect(counted.times()).toBe(ran + 1)
  })
})

describe('the cache', () => {
  it('is listed and emptied', async () => {
    useTemplate()
    const cache = await TemplateCache.open()
    const [template, ...others] = await cache.list()
    expect(others).toEqual([])
    expect(template).toMatchObject({ stale: false })
    expect(template?.version).toMatch(new RegExp(`^${newest.major}\\.`))
    expect(template?.size).toBeGreaterThan(1_000_000)
    await cache.clear()
    expect(await cache.list()).toEqual([])
    expect(readdirSync(home.file('cache', 'templates'))).toEqual([])
  })

  it('forgets in time which templates were wanted', async () => {
    const directory = home.file('cache', 'templates')
    mkdirSync(directory, { recursive: true })
    for (const name of ['old', 'new'])
      writeFileSync(`${directory}/${name}.lock`, '', { mode: 0o600 })
    const then = Date.now() / 1000 - 31 * 24 * 60 * 60
    utimesSync(`${directory}/old.lock`, then, then)
    await new Cluster(home.file('data'), counted.postgres).create()
    const locks = readdirSync(directory).filter((name) => name.endsWith('.lock'))
    expect(locks).toHaveLength(2)
    expect(locks).toContain('new.lock')
  })

  const spoilers: [string, (path: string) => void][] = [
    ['that others can write', (path) => chmodSync(path, 0o777)],
    ['that is a file', becomeFile],
  ]
  if (isRoot) spoilers.push(['that belongs to another', (path) => chownSync(path, 65_534, 65_534)])
  it.each(spoilers)('%s is left alone: initdb does without, and says so', async (_, spoil) => {
    mkdirSync(home.file('cache', 'templates'), { recursive: true })
    chmodSync(home.file('cache'), 0o755)
    spoil(home.file('cache', 'templates'))
    const notices: string[] = []
    const { strategy } = counted.postgres
    const onNotice = (notice: string) => notices.push(notice)
    const cluster = new Cluster(home.file('data'), { strategy, onNotice })
    expect(await cluster.create()).toBe('modified')
    expect(notices.join('\n')).toContain('new clusters take longer')
    const isDirectory = statSync(home.file('cache', 'templates')).isDirectory()
    expect(isDirectory ? templates() : []).toEqual([])
  })

  it.runIf(isRoot && process.platform === 'linux')(
    'may have no room: clusters are created all the same (mounts a file system: root only)',
    async () => {
      mkdirSync(home.file('cache', 'templates'), { recursive: true })
      using disk = mount(home.file('cache', 'templates'), '1m')
      const cluster = new Cluster(home.file('data'), counted.postgres)
      expect(await cluster.create()).toBe('modified')
      expect(readdirSync(disk.path).filter((name) => !name.endsWith('.lock'))).toEqual([])
    },
  )

  it.runIf(isRoot && process.platform === 'linux')(
    'does not help on a full disk, which is said, and nothing is left (mounts a file system: root only)',
    async () => {
      useTemplate()
      mkdirSync(home.file('disk'))
      using disk = mount(home.file('disk'), '12m')
      const cluster = new Cluster(`${disk.path}/data`, counted.postgres)
      await expect(cluster.create()).rejects.toMatchObject({
        code: 'ERR_CLUSTER_DISK_FULL',
        message: expect.stringContaining('disk is full'),
      })
      expect(readdirSync(cluster.dataDir)).toEqual([])
      expect(templates()).toHaveLength(1)
    },
  )
})

function inMemory<Result>(action: () => Result): Result {
  const before = process.env['TMPDIR']
  const memory = '/dev/shm'
  const { bavail, bsize } = existsSync(memory) ? statfsSync(memory) : { bavail: 0, bsize: 0 }
  if (bavail * bsize > 4 * 1024 ** 3) process.env['TMPDIR'] = memory
  try {
    return action()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

/** Lets the cache have the template of `counted`. */
function useTemplate(): void {
  cpSync(prepared.file('cache'), home.file('cache'), { recursive: true })
}

function useCache(path: string): void {
  process.env['HOWDAH_CACHE_DIR'] = path
}

function templates(): string[] {
  return readdirSync(home.file('cache', 'templates')).filter((name) => name.endsWith('.template'))
}

/** All that is in a data directory, with sizes, owners and modes. */
function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = `${entry.parentPath}/${entry.name}`
      const { mode, size, uid, gid } = statSync(path)
      const bytes = entry.isDirectory() ? 'directory' : size
      return [path.slice(root.length), mode.toString(8), bytes, uid, gid].join(' ')
    })
    .toSorted()
}

/** A copy of the newest PostgreSQL, with a count of the clusters that its initdb makes. */
async function countedCopy(where = home) {
  const { bindir: original } = await new Cluster(where.file('none'), unpacked).runtime()
  const copy = where.file('postgres')
  // No hard links: a template is for programs with certain times, and that of their last link is among them.
  execFileSync('cp', ['-rL', dirname(original), copy], { stdio: 'ignore' })
  const bindir = `${copy}/bin`
  return {
    postgres: { ...unpacked, strategy: onPath([bindir]), place: { bindir } },
    ...countInitdb(bindir, where.file('initdb')),
    /** Puts the same program into its own place, as an upgrade does. */
    replace: () => {
      cpSync(`${bindir}/postgres`, `${bindir}/new`)
      renameSync(`${bindir}/new`, `${bindir}/postgres`)
    },
  }
}

function overwrite(path: string, at: number): void {
  const content = readFileSync(path)
  content.write('spoilt', at)
  writeFileSync(path, content, { mode: 0o600 })
}

/** The control file's content begins with the system identifier and the version of its layout. */
function overwriteControlFile(path: string): void {
  const content = readFileSync(path)
  const length = content.readUInt32LE(16)
  const start = 16 + 4 + 32
  const index = JSON.parse(content.subarray(start, start + length).toString()) as {
    contents: { length: number; files: { path: string }[] }[]
  }
  let at = start + length
  for (const { length: bytes, files } of index.contents) {
    if (files.some((file) => file.path === 'global/pg_control')) break
    at += bytes
  }
  overwrite(path, at)
}

function becomeFile(path: string): void {
  renameSync(path, `${path}.directory`)
  writeFileSync(path, '')
  expect(existsSync(path)).toBe(true)
}

function mount(path: string, size: string): Disposable & { path: string } {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', path])
  return { path, [Symbol.dispose]: () => void execFileSync('umount', [path]) }
}
