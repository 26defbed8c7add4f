import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { chain } from '@howdah/runtime'
import { expect, it } from 'vitest'
import { Cluster, run, temporary } from '../../src/index.ts'
import { everyPostgres, killedInTime, newest, Worker } from '@howdah/postgres-fixtures'

const { strategy } = newest

it('refuses a directory with other content, and leaves it alone', async () => {
  using home = temporaryDirectory()
  writeFileSync(home.file('letter.txt'), 'dear reader')
  const cluster = new Cluster(home.path, { strategy })

  await expect(cluster.create()).rejects.toMatchObject({
    code: 'ERR_CLUSTER_NOT_EMPTY',
    found: ['letter.txt'],
    message: expect.stringContaining('choose an empty or a new directory'),
  })
  await expect(cluster.run()).rejects.toMatchObject({ code: 'ERR_CLUSTER_NOT_EMPTY' })
  expect(readdirSync(home.path)).toEqual(['letter.txt'])
  expect(readFileSync(home.file('letter.txt'), 'utf8')).toBe('dear reader')
})

it('makes the directories above, and a cluster that only its owner can enter', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('a', 'b', 'data'), { strategy })
  expect(await cluster.create()).toBe('modified')
  expect(statSync(cluster.dataDir).mode & 0o777).toBe(0o700)
})

it('makes the cluster in the empty directory to which a link leads, and destroys it there', async () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('disk'))
  symlinkSync(home.file('disk'), home.file('data'))
  const cluster = new Cluster(home.file('data'), { strategy })
  expect(await cluster.create()).toBe('modified')
  expect(readdirSync(home.file('disk'))).toContain('PG_VERSION')
  expect(await cluster.destroy()).toBe('modified')
  expect(existsSync(home.file('disk', 'PG_VERSION'))).toBe(false)
})

it('makes nothing in a directory that has to be there and was removed', async () => {
  using home = temporaryDirectory()
  const within = home.file('worktree')
  const cluster = new Cluster(home.file('worktree/.howdah/data'), { strategy, within })
  await expect(cluster.run()).rejects.toMatchObject({
    code: 'ERR_CLUSTER_INVALID_PATH',
    message: expect.stringContaining(`${within} was removed`),
  })
  expect(readdirSync(home.path)).toEqual([])
  mkdirSync(within)
  expect(await cluster.create()).toBe('modified')
  await cluster.destroy()
})

it('takes an interrupted creation for none, and begins anew', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  mkdirSync(cluster.dataDir)
  writeFileSync(home.file('data', 'howdah.creating'), '')
  writeFileSync(home.file('data', 'PG_VERSION'), '9.6\n')
  mkdirSync(home.file('data', 'base'))

  expect(await cluster.exists()).toBe(false)
  expect(await cluster.create()).toBe('modified')
  expect(await cluster.exists()).toBe(true)
  expect(existsSync(home.file('data', 'howdah.creating'))).toBe(false)
})

it('begins anew even if the creation was interrupted before its marker was there', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  mkdirSync(cluster.dataDir)
  writeFileSync(home.file('data', 'howdah.creating.tmp'), '')
  expect(await cluster.create()).toBe('modified')
  expect(existsSync(home.file('data', 'howdah.creating.tmp'))).toBe(false)
})

it('can be killed at any instant of a creation: there is a whole cluster then, or none', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  await killedInTime(
    5,
    () => new Worker('create', cluster.dataDir, newest, {}, { tells: true }),
    async () => {
      if (await cluster.exists()) await cluster.destroy()
    },
  )
  await using session = await cluster.run()
  const client = await session.connect()
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  const leftOver = readdirSync(cluster.dataDir).filter((name) => name.startsWith('howdah.'))
  expect(leftOver.toSorted()).toEqual(['howdah.json', 'howdah.run'])
}, 180_000)

it('has nothing of the environment of the process that creates and starts it', async () => {
  using home = temporaryDirectory()
  const env = {
    PGPORT: 'abc',
    LC_ALL: 'xx',
    LANG: 'tlh',
    TZ: 'Mars/Olympus',
    PGCLIENTENCODING: 'LATIN1',
    PGSERVICE: 'x',
    PGOPTIONS: '--bogus',
    PGHOST: '/nowhere',
    PGDATABASE: 'none',
    PGSSLMODE: 'require',
  }
  await using worker = new Worker('use', home.file('data'), newest, {}, { env })
  expect(await worker.next()).toMatchObject({ joined: 'modified' })

  const server = await new Cluster(home.file('data'), { strategy }).server()
  const client = await server.connect()
  const { rows } = await client.query(
    `SELECT current_setting('TimeZone') AS zone, current_setting('lc_messages') AS messages,
            current_setting('server_encoding') AS encoding, current_setting('port') AS port`,
  )
  await client.end()
  expect(rows).toEqual([{ zone: 'UTC', messages: 'C', encoding: 'UTF8', port: '1' }])
})

it.each([
  ['spaces and quotes', `it's "here" $HOME \`id\``],
  ['other scripts', 'Ελλάς 日本 🐘'],
  ['200 characters', 'long '.repeat(40)],
  ['a percent sign, a plus and a comma', '50%25+x&host=y,z'],
])('lies in a directory with %s in its name', async (_, name) => {
  using home = temporaryDirectory()
  await using session = await run(home.file(name, 'data'), {
    strategy,
    throwAway: true,
    database: `"${name}"`.slice(0, 40),
  })
  const client = await session.connect()
  const { rows } = await client.query('SELECT current_database() AS database')
  expect(rows).toEqual([{ database: session.database }])
  // libpq takes what has a comma for several hosts, and Node cuts what is too long.
  expect(session.address.host).toMatch(/^[^,]{1,93}$/)
  expect(readdirSync(home.path)).toEqual([name])
})

it.each([
  ['', 'it is empty'],
  ['a\0b', 'NUL'],
  ['a\nb', 'line break'],
  ['caf\uFFFD', 'UTF-8'],
])('refuses the path %j', (path, why) => {
  expect(() => new Cluster(path)).toThrow(why)
})

it.each([['a "b"'], ["o'b"], ['back\\slash'], ['$1'], ['new\nline\t'], ['Ünïcode "☃"']])(
  'the superuser has any name that PostgreSQL allows: %j',
  async (user) => {
    await using session = await temporary({ strategy, user })
    const client = await session.connect()
    try {
      const { rows } = await client.query(
        'SELECT rolname, rolsuper FROM pg_roles WHERE oid = 10 AND rolname = current_user',
      )
      expect(rows).toEqual([{ rolname: user, rolsuper: true }])
    } finally {
      await client.end()
    }
  },
)

it('says what is in the way of a directory', async () => {
  using home = temporaryDirectory()
  writeFileSync(home.file('file'), '')
  symlinkSync(home.file('nothing'), home.file('link'))
  const there = async (path: string) => await new Cluster(path, { strategy }).create()
  await expect(there(home.file('file'))).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_CLUSTER_/),
    message: expect.stringContaining('name a directory'),
  })
  await expect(there(home.file('link'))).rejects.toMatchObject({
    code: 'ERR_CLUSTER_INVALID_PATH',
    message: expect.stringContaining('leads nowhere'),
  })
})

it.each(['', 'sixteen\n', '16.1\n', '7\n'])('refuses the PG_VERSION %j', async (content) => {
  using home = temporaryDirectory()
  writeFileSync(home.file('PG_VERSION'), content)
  const cluster = new Cluster(home.path, { strategy })
  const malformed = { code: 'ERR_CLUSTER_MALFORMED_VERSION' }
  await expect(cluster.status()).rejects.toMatchObject(malformed)
  await expect(cluster.run()).rejects.toMatchObject(malformed)
  await expect(cluster.destroy()).rejects.toMatchObject(malformed)
  expect(readdirSync(home.path)).toEqual(['PG_VERSION'])
})

it('names what was found if there is no PostgreSQL of the version of a cluster', async () => {
  using home = temporaryDirectory()
  writeFileSync(home.file('PG_VERSION'), '42\n')
  await expect(new Cluster(home.path, { strategy }).run()).rejects.toMatchObject({
    code: 'ERR_RUNTIME_NOT_FOUND',
    message: expect.stringMatching(
      new RegExp(
        `no PostgreSQL 42 found: found ${newest.major}\\.\\d+ at .*howdah runtimes install 42`,
      ),
    ),
  })
})

it('runs an existing cluster of an older major by that major', async () => {
  using home = temporaryDirectory()
  const oldest = everyPostgres.toSorted((one, other) => one.major - other.major)[0] ?? newest
  await new Cluster(home.file('data'), { strategy: oldest.strategy }).create()
  // The newest comes first, and would be the choice for a new cluster.
  const cluster = new Cluster(home.file('data'), { strategy: chain(strategy, oldest.strategy) })
  await using session = await cluster.run()
  expect(session.runtime.version.major).toBe(oldest.major)
  const fresh = new Cluster(home.file('fresh'), { strategy: chain(strategy, oldest.strategy) })
  expect((await fresh.runtime()).version.major).toBe(newest.major)
})

it.each(['base', 'global'])(
  'a cluster without its directory %s says so, and nothing is made there',
  async (missing) => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    await cluster.create()
    rmSync(home.file('data', missing), { recursive: true })
    const before = readdirSync(cluster.dataDir)
    const failed = {
      code: 'ERR_CLUSTER_START_FAILED',
      message: expect.stringContaining(`has no directory ${missing}`),
    }
    await expect(cluster.run()).rejects.toMatchObject(failed)
    await expect(cluster.start()).rejects.toMatchObject(failed)
    expect(readdirSync(cluster.dataDir)).toEqual(before)
  },
)

it('is too old before PostgreSQL 10, and says so', async () => {
  using home = temporaryDirectory()
  writeFileSync(home.file('PG_VERSION'), '9.6\n')
  await expect(new Cluster(home.path, { strategy }).run()).rejects.toMatchObject({
    code: 'ERR_CLUSTER_UNSUPPORTED_VERSION',
  })
  expect(readdirSync(home.path)).toEqual(['PG_VERSION'])
})

it.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
  'says that the disk is full, leaves nothing, and works when there is room again (mounts a file system: root only)',
  async () => {
    using home = temporaryDirectory()
    const disk = home.file('disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk])
    try {
      const cluster = new Cluster(home.file('disk', 'data'), { strategy })
      await expect(cluster.create()).rejects.toMatchObject({
        code: 'ERR_CLUSTER_DISK_FULL',
        message: expect.stringContaining('disk is full'),
      })
      expect(readdirSync(cluster.dataDir)).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=200m', disk])
      expect(await cluster.create()).toBe('modified')
    } finally {
      // The descriptor of the last of several locks is closed when the event loop goes on.
      await nextTurn()
      execFileSync('umount', [disk])
    }
  },
)
