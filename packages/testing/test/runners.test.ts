import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { runSuite } from './support/run-suite.ts'
import { installed, writeSuite } from './support/suites.mjs'

ownPlace()

const own = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** A project in which our package, vitest and node-postgres are installed. */
function withModules(project: string): string {
  mkdirSync(`${project}/node_modules/@howdah`, { recursive: true })
  symlinkSync(own('.'), `${project}/node_modules/@howdah/testing`)
  for (const name of ['pg', 'vitest'])
    symlinkSync(own(`node_modules/${name}`), `${project}/node_modules/${name}`)
  writeFileSync(`${project}/package.json`, '{ "type": "module" }')
  return project
}

const isLong = process.env['HOWDAH_TEST_LONG'] === '1'
const tests = isLong ? 200 : 24

it.each(['vitest, forks', 'node:test', ...(isLong ? ['vitest, threads'] : [])])(
  `runs ${tests} tests at a time in two terminals under %s, and again after the runner was killed`,
  { timeout: 240_000 },
  async (runner) => {
    await using server = await givenServer(undefined, { max_connections: '200' })
    using home = temporaryDirectory()
    const project = withModules(home.file('project'))
    const args = writeSuite(project, runner, tests)

    const both = [1, 2].map(() => runSuite(project, args, { SUITE_SERVER: server.url }))
    for (const { status, output } of await Promise.all(both.map(({ ended }) => ended))) {
      expect(output).toMatch(new RegExp(String.raw`(Tests\s+${tests} passed|pass ${tests}\b)`))
      expect(status).toBe(0)
    }

    const progress = home.file('progress')
    const killed = runSuite(project, args, { SUITE_SERVER: server.url, SUITE_PROGRESS: progress })
    await until('tests run', () => existsSync(progress), 60_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect((await runSuite(project, args, { SUITE_SERVER: server.url }).ended).status).toBe(0)

    const databases = testDatabases({ server: server.url })
    await databases.create()
    await databases.end()
    expect(await server.databases('howdah_test_%')).toEqual([])
  },
)

const failing = `
import { test as base, expect } from 'vitest'
import { fixture, testDatabases } from '@howdah/testing'
const databases = testDatabases({
  server: process.env.SUITE_SERVER,
  migrate: async ({ client }) => await client.query('CREATE TABLE t (word text)'),
})
const test = base.extend({ db: fixture(databases) })
test('passes', async ({ db }) => void (await db.query("INSERT INTO t VALUES ('passed')")))
test('fails', async ({ db }) => {
  await db.query("INSERT INTO t VALUES ('evidence')")
  expect(1).toBe(2)
})
`

it.each([
  ['keeps the database of a test that fails, and no other, and prints how to open it', false],
  ['keeps none in CI', true],
])('a fixture %s', { timeout: 60_000 }, async (_, ci) => {
  await using server = await givenServer()
  using home = temporaryDirectory()
  const project = withModules(home.file('project'))
  writeFileSync(`${project}/vitest.config.mjs`, `export default { test: { ${installed} } }`)
  writeFileSync(`${project}/a.test.mjs`, failing)
  const args = ['node_modules/vitest/vitest.mjs', 'run']
  const { status, output } = await runSuite(project, args, { SUITE_SERVER: server.url }, { ci })
    .ended
  expect(status).toBe(1)
  const databases = testDatabases({ server: server.url })
  await databases.create()
  await databases.end()
  const left = await server.databases('howdah_test_%')
  expect(left).toHaveLength(ci ? 0 : 1)
  for (const name of left) {
    expect(output).toContain(`kept a database of fails: howdah testdb shell ${name}`)
    const client = await server.connectTo(name)
    expect((await client.query('SELECT word FROM t')).rows).toEqual([{ word: 'evidence' }])
    await client.end()
  }
})

it(
  'the door for vitest gives each file a cluster of its own if that is asked for',
  { timeout: 60_000 },
  async () => {
    using home = temporaryDirectory()
    const project = withModules(home.file('project'))
    writeFileSync(
      `${project}/vitest.config.mjs`,
      `export default { test: {
       setupFiles: ['@howdah/testing/vitest'],
       provide: { testDatabases: { isolation: 'cluster' } },
       ${installed},
     } }`,
    )
    for (const name of ['a', 'b'])
      writeFileSync(
        `${project}/${name}.test.mjs`,
        `import { appendFileSync } from 'node:fs'
       import { Client } from 'pg'
       import { test } from 'vitest'
       test('is alone', async () => {
         const client = new Client({ connectionString: process.env.DATABASE_URL })
         await client.connect()
         await client.query('CREATE ROLE same')
         const { rows } = await client.query("SELECT current_setting('data_directory') AS place")
         appendFileSync('places', rows[0].place + '\\n')
         await client.end()
       })`,
      )
    const { bindir } = (await newest.strategy.fallback()) ?? { bindir: '' }
    const env = { PATH: `${bindir}:${process.env['PATH']}` }
    const { status, output } = await runSuite(
      project,
      ['node_modules/vitest/vitest.mjs', 'run'],
      env,
    ).ended
    expect({ status, output }).toMatchObject({ status: 0 })
    const places = readFileSync(`${project}/places`, 'utf8').trim().split('\n')
    expect(new Set(places).size).toBe(2)
    for (const path of places) expect(existsSync(path)).toBe(false)
  },
)
