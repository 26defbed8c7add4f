import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cluster, type Server, temporary } from '../../src/index.ts'

const { strategy } = newest

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory()
  vi.stubEnv('HOWDAH_TEMPORARY_DIR', home.path)
  vi.stubEnv('HOWDAH_CACHE_DIR', home.file('cache'))
  mkdirSync(home.file('sql'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

const script = (name: string, content: string | Buffer) =>
  writeFileSync(home.file('sql', name), content)

const notes = async (server: Server) => {
  const client = await server.connect()
  const { rows } = await client.query<{ note: string }>('SELECT note FROM notes ORDER BY id')
  await client.end()
  return rows.map(({ note }) => note)
}

it('scripts make what a cluster begins with, in their order, once, and are kept as a template', async () => {
  const trace = home.file('trace')
  script('2.sql.gz', gzipSync("INSERT INTO notes (note) VALUES ('from gzip');"))
  script(
    '1.sql',
    `CREATE TABLE notes (id serial, note text); INSERT INTO notes (note) VALUES ('first');`,
  )
  script('3.sh', `echo "$PGDATABASE $POSTGRES_USER" >> '${trace}'`)
  script('README', 'no script')
  const options = { strategy, database: 'app', user: 'me', init: home.file('sql') }
  {
    await using session = await temporary(options)
    expect(await notes(session)).toEqual(['first', 'from gzip'])
    expect((await session.settings.get('fsync')).text).toBe('off')
  }
  // From the template.
  const cluster = new Cluster(home.file('data'), { strategy })
  {
    await using session = await cluster.run(options)
    expect(await notes(session)).toEqual(['first', 'from gzip'])
    expect(await session.mode()).toBe('safe')
    const client = await session.connect()
    await client.query("INSERT INTO notes (note) VALUES ('mine')")
  }
  {
    await using session = await cluster.run(options)
    expect(await notes(session)).toEqual(['first', 'from gzip', 'mine'])
  }
  expect(readFileSync(trace, 'utf8')).toBe('app me\n')
  // Anew, if one of them changes.
  script('4.sql', "INSERT INTO notes (note) VALUES ('fourth')")
  await using session = await temporary(options)
  expect(await notes(session)).toEqual(['first', 'from gzip', 'fourth'])
  expect(readFileSync(trace, 'utf8')).toBe('app me\napp me\n')
})

it.each([
  ['SQL', '2.sql', 'SELECT 1; SELECT nonsense; CREATE TABLE never ()', /2\.sql failed.*nonsense/s],
  ['a shell script', '2.sh', 'echo broken >&2; exit 3', /2\.sh failed.*broken/s],
  ['gzip', '2.sql.gz', 'no gzip', /2\.sql\.gz failed/],
])(
  'the first that fails, %s, is said, and leaves no cluster',
  async (_, name, content, message) => {
    script('1.sql', 'CREATE TABLE notes ()')
    script(name, content)
    script('3.sh', `touch '${home.file('reached')}'`)
    const cluster = new Cluster(home.file('data'), { strategy })
    const failed = cluster.run({ init: [home.file('sql/*.sql'), home.file('sql/*')] })
    await expect(failed).rejects.toMatchObject({ code: 'ERR_CLUSTER_INIT_FAILED' })
    await expect(failed).rejects.toThrow(message)
    expect(existsSync(home.file('reached'))).toBe(false)
    expect(await cluster.exists()).toBe(false)
    expect(existsSync(home.file('data')) ? readdirSync(home.file('data')) : []).toEqual([])
  },
)

it.each([
  ['nothing', 'sql/*.sql', /no init script is called like/],
  ['no script', 'sql/*', /README is not an init script/],
])('a pattern that names %s is refused', async (_, pattern, message) => {
  script('README', '')
  await expect(temporary({ strategy, init: home.file(pattern) })).rejects.toThrow(message)
})
