import { type Dirent, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { onlyIf, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { Cluster, type Session } from '@howdah/cluster'
import { countInitdb, type Subject, Worker } from '@howdah/postgres-fixtures'
import { crc32c } from '@howdah/wal'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { copyPackage, inPackage, shippedPostgres, templateIn } from './support/shipped-postgres.ts'

// Each copies a whole PostgreSQL.
vi.setConfig({ testTimeout: 180_000 })

let home: TemporaryDirectory
beforeEach(() => {
  home = temporaryDirectory()
  vi.stubEnv('HOWDAH_CACHE_DIR', home.file('cache'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

const [postgres] = shippedPostgres
const needed = onlyIf(postgres !== undefined, 'no PostgreSQL was assembled here with a template')
describe('the template that comes with PostgreSQL', needed, () => {
  let place: TemporaryDirectory
  /** The same PostgreSQL, with a count of the runs of initdb. */
  let counted: Subject & { times(): number }
  let template: string
  let whole: Buffer

  beforeAll(() => {
    place = temporaryDirectory()
    if (postgres === undefined) return
    copyPackage(postgres, place.file('package'))
    template = templateIn(place.file('package'))
    whole = readFileSync(template)
    const initdb = countInitdb(place.file('package/native/bin'), place.file('initdb'))
    counted = { ...inPackage(place.file('package')), ...initdb }
  })
  afterAll(() => place[Symbol.dispose]())
  afterEach(() => writeFileSync(template, whole))

  it.each([
    ['that of the user', undefined],
    ['another one', 'ada'],
    ['one of the hard ones', `o'"$x\\u\n\u{1f418}`],
  ])('makes the cluster that initdb makes, if its superuser is %s', async (_, user) => {
    const ran = counted.times()
    const shipped = await contentOf(new Cluster(home.file('shipped'), counted), user)
    expect(counted.times()).toBe(ran)
    rmSync(template)
    vi.stubEnv('HOWDAH_CACHE_DIR', home.file('another'))
    const made = await contentOf(new Cluster(home.file('made'), counted), user)
    expect(counted.times()).toBe(ran + 1)
    expect(shipped).toEqual(made)
  })

  it('is kept in the cache as it is completed, if it is wanted again', async () => {
    const ran = counted.times()
    const [one, two, three] = ['one', 'two', 'three'].map(
      (name) => new Cluster(home.file(name), counted),
    ) as [Cluster, Cluster, Cluster]
    await one.create()
    expect(keptTemplates()).toBe(0)
    await two.create()
    expect(keptTemplates()).toBe(1)
    rmSync(template)
    await three.create()
    expect(counted.times()).toBe(ran)
    expect(new Set([one, two, three].flatMap(identityOf)).size).toBe(6)
    await using session = await three.run()
    const client = await session.connect()
    expect((await client.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  })

  it.each<[string, (whole: Buffer) => Buffer]>([
    ['is cut short', (bytes) => bytes.subarray(0, -1)],
    ['is garbage', () => Buffer.from('x'.repeat(100_000))],
    ['has a changed byte', (bytes) => changed(bytes, bytes.length >> 1)],
    ['has a damaged index', (bytes) => gzipSync(changed(gunzipSync(bytes), 200))],
    ['has a damaged control file', (bytes) => withControlFile(bytes, (file) => changed(file, 20))],
    ['is of another catalog', (bytes) => withControlFile(bytes, (file) => otherCatalog(file))],
  ])('is not used if it %s, which is said', async (_, damage) => {
    writeFileSync(template, damage(whole))
    const ran = counted.times()
    const notices: string[] = []
    const onNotice = (notice: string) => notices.push(notice)
    const cluster = new Cluster(home.file('data'), { ...counted, onNotice })
    await using session = await cluster.run()
    expect(counted.times()).toBe(ran + 1)
    expect(session.started).toBe('modified')
    expect(notices.join('\n')).toMatch(/the template that came with PostgreSQL 18.* is not used/)
  })

  it('is not used for a cluster of another kind, of which nothing is said', async () => {
    const ran = counted.times()
    const onNotice = vi.fn<(notice: string) => void>()
    const cluster = new Cluster(home.file('data'), { ...counted, onNotice })
    await cluster.create({ locale: 'C.UTF-8' })
    expect(counted.times()).toBe(ran + 1)
    expect(onNotice.mock.calls.join()).not.toContain('template')
  })

  it('leaves it to initdb to refuse a superuser', async () => {
    const cluster = new Cluster(home.file('data'), counted)
    await expect(cluster.run({ user: 'pg_other' })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_CREATE_FAILED',
    })
  })

  it('whose user is killed, at any instant, serves the next', async () => {
    const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
    const instants = isLong ? [150, 200, 250, 300, 350, 400, 500] : [150, 300, 400, 500]
    for (const instant of instants) {
      await using worker = new Worker('create', home.file(`data-${instant}`), counted)
      await Promise.race([worker.next(), sleep(instant)])
      await worker.kill()
      rmSync(home.file('cache', 'templates'), { recursive: true, force: true })
    }
    const ran = counted.times()
    for (const instant of [150, 300, 500]) {
      await using session = await new Cluster(home.file(`data-${instant}`), counted).run()
      expect(readdirSync(session.dataDir).join()).not.toMatch(/initdb|creating/)
    }
    expect(counted.times()).toBe(ran)
  })
})

/** What a cluster consists of, without what differs between any two of them. */
async function contentOf(cluster: Cluster, user: string | undefined): Promise<object> {
  const options = user === undefined ? {} : { user }
  await cluster.create(options)
  const files = filesOf(cluster.dataDir)
  await using session = await cluster.run(options)
  const catalogs = []
  for (const database of ['postgres', 'template1'])
    catalogs.push(await catalogOf(session, database, /^\w*$/.test(user ?? '')))
  return { files, catalogs }
}

/** The directories, the modes, and the text of the settings. */
function filesOf(dataDir: string): object {
  const entries = readdirSync(dataDir, { recursive: true, withFileTypes: true })
  const modeOf = (path: string) => statSync(path).mode.toString(8)
  const pathOf = (entry: Dirent) => join(entry.parentPath, entry.name)
  return {
    directories: entries
      .map(pathOf)
      .filter((path) => statSync(path).isDirectory())
      .map((path) => path.slice(dataDir.length))
      .toSorted(),
    modes: [...new Set([dataDir, ...entries.map(pathOf)].map(modeOf))].toSorted(),
    texts: [
      'postgresql.conf',
      'postgresql.auto.conf',
      'pg_hba.conf',
      'pg_ident.conf',
      'PG_VERSION',
    ].map((name) => readFileSync(join(dataDir, name), 'utf8')),
  }
}

/** Everything in the catalogs of a database but OIDs, transaction ids, and where rows lie. */
async function catalogOf(
  session: Session,
  database: string,
  withStatistics: boolean,
): Promise<object> {
  const client = await session.connect({ database })
  const rows = async (sql: string) => (await client.query(sql)).rows as Record<string, unknown>[]
  const relations = await rows(`
    SELECT c.oid::regclass::text AS name FROM pg_class AS c
    WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND relkind IN ('r', 'v')
      AND relname !~ '^pg_(stat|locks|shmem|backend_memory|aios|hba|ident|file|timezone|prepared|cursors)' ORDER BY 1`)
  const counting = relations.map(
    ({ name }) => `SELECT '${String(name)}' AS name, count(*)::int FROM ${String(name)}`,
  )
  const withoutPath = (value: unknown) => String(value).replace(session.dataDir, '')
  const settings = await rows(
    'SELECT name, setting, source, sourceline, reset_val FROM pg_settings ORDER BY 1',
  )
  return {
    counts: await rows(`${counting.join(' UNION ALL ')} ORDER BY 1`),
    databases: await rows(`
      SELECT (to_jsonb(d) - 'datfrozenxid' - 'datminmxid') || jsonb_build_object('owner', datdba::regrole,
        'comment', shobj_description(oid, 'pg_database')) AS database FROM pg_database AS d ORDER BY oid`),
    roles: await rows('SELECT * FROM pg_authid ORDER BY oid'),
    collations: await rows(`
      SELECT (to_jsonb(c) - 'oid') || jsonb_build_object('comment', obj_description(oid, 'pg_collation')) AS collation
      FROM pg_collation AS c ORDER BY collname, collencoding`),
    relations: await rows(`
      SELECT c.oid::regclass::text AS name, relkind, relacl::text, reloptions FROM pg_class AS c ORDER BY 1`),
    functions: await rows(`
      SELECT p.oid::regprocedure::text AS name, proacl::text, proowner::regrole::text FROM pg_proc AS p ORDER BY 1`),
    descriptions: await rows('SELECT description FROM pg_description ORDER BY 1'),
    settings: settings.map((setting) => Object.values(setting).map(withoutPath)),
    control: await rows('SELECT * FROM pg_control_init()'),
    statistics: withStatistics
      ? await rows(`
        SELECT tablename, attname, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs
        FROM pg_stats WHERE schemaname = 'pg_catalog' ORDER BY 1, 2`)
      : [],
    names: await rows(`
      SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'pg_authid' AND attname = 'rolname' AND ${withStatistics}`),
  }
}

function keptTemplates(): number {
  return readdirSync(home.file('cache/templates')).filter((name) => name.endsWith('.template'))
    .length
}

/** What no two clusters may share: the system identifier, and the secret before the checksum. */
function identityOf({ dataDir }: Cluster): string[] {
  const control = readFileSync(join(dataDir, 'global/pg_control'))
  return [control.subarray(0, 8).toString('hex'), control.subarray(257, 289).toString('hex')]
}

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at)
  return copy
}

/** The template with another control file, which has the same length. */
function withControlFile(template: Buffer, change: (file: Buffer) => Buffer): Buffer {
  const archive = gunzipSync(template)
  const length = archive.readUInt32LE(16)
  const start = 16 + 4 + 32
  const index = JSON.parse(archive.subarray(start, start + length).toString()) as {
    contents: { length: number; files: { path: string }[] }[]
  }
  let at = start + length
  for (const { length: bytes, files } of index.contents) {
    if (files.some(({ path }) => path === 'global/pg_control')) {
      change(archive.subarray(at, at + bytes)).copy(archive, at)
      return gzipSync(archive)
    }
    at += bytes
  }
  throw new Error('it has no control file')
}

/** A whole control file with another version of the catalog, which no server takes. */
function otherCatalog(file: Buffer): Buffer {
  const copy = Buffer.alloc(512)
  file.copy(copy)
  copy.writeUInt32LE(copy.readUInt32LE(12) + 1, 12)
  copy.writeUInt32LE(crc32c(copy.subarray(0, 292)), 292)
  return copy.subarray(0, file.length)
}
