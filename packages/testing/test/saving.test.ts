import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Cluster } from '@howdah/cluster'
import { Child, until } from '@howdah/fixtures'
import { newest, somePostgres } from '@howdah/postgres-fixtures'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Migration, type TestDatabasesOptions, testDatabases } from '../src/index.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

const place = ownPlace()

/** A setting of which no other test has saved templates. */
let settings: Record<string, string>
beforeEach(() => {
  settings = { log_min_duration_statement: String(randomInt(1e6, 1e9)) }
})

const made = 'CREATE TABLE made AS SELECT clock_timestamp() AS at'

function optionsOf(project: Project, more: TestDatabasesOptions): TestDatabasesOptions {
  return project.options({ saveTemplates: true, ahead: 0, settings, ...more })
}

/** The paths of the clusters in the place of this file. */
function clusters(): string[] {
  return readdirSync(place).flatMap((owner) =>
    readdirSync(join(place, owner)).flatMap((name) =>
      name.startsWith('.') ? [] : join(place, owner, name),
    ),
  )
}

/** The processes of this one that save templates. */
const savers = new Set<ChildProcess>()
const notice = (message: unknown) => {
  const { process } = message as { process: ChildProcess }
  process.once('spawn', () => {
    if (process.spawnargs.some((arg) => arg.endsWith('/saving/saver.js'))) savers.add(process)
  })
  process.once('exit', () => savers.delete(process))
}
beforeAll(() => subscribe('child_process', notice))
afterAll(() => void unsubscribe('child_process', notice))

/** The one row of a query in a new database of each, on a server that they share and that is gone afterwards. */
async function rowsOf(
  all: readonly TestDatabasesOptions[],
  query = 'SELECT * FROM made',
): Promise<object[]> {
  const users = all.map((options) => testDatabases(options))
  const rows: object[] = []
  // One after another, so that a later one finds what an earlier one has made.
  for (const databases of users) {
    const db = await databases.create()
    rows.push(...(await db.query(query)).rows)
  }
  // A server that lingers stays while they are saved.
  const lingers = all.some(({ linger }) => linger !== 0)
  if (!lingers) await until('the templates are saved', () => savers.size === 0, 60_000)
  for (const databases of users) await databases.end()
  await until('the server has ended', () => clusters().length === 0, 60_000)
  return rows
}

it.each(somePostgres)(
  'a template outlives its server, and nothing else that was there does, on $name',
  async ({ strategy }) => {
    const files = { 'm/1.sql': made, 'm/2.sql': `ALTER SYSTEM SET work_mem = '77MB'` }
    using project = new Project(files)
    const options = optionsOf(project, { migrate: 'm/*.sql', strategy })
    const [first] = await rowsOf([{ ...options, ahead: 8 }])
    // A later server adds to what is saved.
    project.write({ 'm/3.sql': 'ALTER TABLE made ADD later timestamptz DEFAULT clock_timestamp()' })
    const query = `
      SELECT *, current_setting('work_mem') AS memory, current_setting('fsync') AS fsync,
             (SELECT count(*)::int FROM pg_database
               WHERE datname LIKE 'howdah_test%' AND datname <> current_database()) AS others
        FROM made`
    const second = await rowsOf([options], query)
    const later = expect.any(Date) as Date
    expect(second).toEqual([{ ...first, later, memory: '4MB', fsync: 'off', others: 0 }])
    expect(await rowsOf([options], query)).toEqual(second)
  },
)

const migrate = async ({ client }: Migration) => await client.query(made)
const seed = async ({ client }: Migration) =>
  await client.query('UPDATE made SET at = clock_timestamp()')

it('templates of which it is not known what they depend on, or that are not to be saved, are made again', async () => {
  using project = new Project({
    'm/1.sql': made,
    'unlogged/1.sql': `${made}; CREATE UNLOGGED TABLE u ()`,
  })
  const templates: Record<string, TestDatabasesOptions> = {
    'a function without a key': { migrate },
    'an unlogged table': { migrate: 'unlogged/*.sql' },
    'SQL files with a function as seed': { migrate: 'm/*.sql', seed },
    'an option that says so': { migrate: 'm/*.sql', saveTemplates: false },
  }
  const names = Object.keys(templates)
  const options = names.map((name) => optionsOf(project, { ...templates[name], name }))
  const before = await rowsOf(options)
  const after = await rowsOf(options)
  expect(names.filter((_, n) => isDeepStrictEqual(after[n], before[n]))).toEqual([])
})

it('two projects with the same settings, of a function with a key and of files with a seed, both have their templates on later servers', async () => {
  using one = new Project()
  using other = new Project({ 'm/1.sql': made, 's/1.sql': 'TABLE made' })
  const ofOne = optionsOf(one, { migrate, key: [{ version: 1 }] })
  const ofOther = optionsOf(other, { migrate: 'm/*.sql', seed: 's/*.sql' })
  const before = [...(await rowsOf([ofOne])), ...(await rowsOf([ofOther]))]
  expect(await rowsOf([ofOne, ofOther])).toEqual(before)
})

it("the template of a cluster of one's own outlives it, although nobody waits until it is saved", async () => {
  using project = new Project({ 'm/1.sql': made })
  const options = optionsOf(project, { migrate: 'm/*.sql', isolation: 'cluster' })
  const before = await rowsOf([{ ...options, linger: 5000 }])
  expect(await rowsOf([options])).toEqual(before)
})

it("a migration's role is not there on later servers, and keeps templates from being saved, those of others, too", async () => {
  using theirs = new Project({ 'm/1.sql': `${made}; CREATE ROLE saved_role` })
  using ours = new Project({ 'm/1.sql': made })
  const options = [theirs, ours].map((project) => optionsOf(project, { migrate: 'm/*.sql' }))
  const [theirFirst, ourFirst] = await rowsOf(options)
  // It would fail if the role were there.
  const [ourSecond, theirSecond] = await rowsOf(options.toReversed())
  expect(theirSecond).not.toEqual(theirFirst)
  expect(ourSecond).not.toEqual(ourFirst)
})

it('a process that is killed while it saves templates leaves nothing for good', async () => {
  using project = new Project({ 'm/1.sql': made })
  const options = optionsOf(project, { migrate: 'm/*.sql', saveTemplates: false })
  await using databases = testDatabases(options)
  await using db = await databases.create()
  const { rows } = await db.query<{ dataDir: string }>(
    `SELECT current_setting('data_directory') AS "dataDir"`,
  )
  const dataDir = rows[0]?.dataDir ?? ''
  const { bindir } = await new Cluster(dataDir, newest).runtime()
  const saver = () =>
    new Child(new URL('support/saver.mjs', import.meta.url), [
      JSON.stringify({
        dataDir,
        bindir,
        base: `killed ${Object.values(settings).join('')}`,
        linger: 0,
      }),
    ])
  const copies = () => clusters().filter((path) => path.includes('/copy-'))
  for (const file of ['howdah.creating', 'postmaster.pid']) {
    const hasIt = () => copies().some((path) => existsSync(join(path, file)))
    // On a busy machine the file may come and go unseen.
    for (let left = 0; left === 0; left = copies().length) {
      await using killed = saver()
      let hasEnded = false
      void killed.ended.then(() => (hasEnded = true))
      await until(`its copy has ${file}, or it has ended`, () => hasEnded || hasIt(), 60_000)
      await killed.kill()
    }
    expect(copies()).toHaveLength(1)
  }
  await using last = saver()
  expect(await last.ended).toBe('status 0')
  expect(copies()).toEqual([])
})
