import { randomInt } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { Child, until } from '@howdah/fixtures'
import { newest, somePostgres } from '@howdah/postgres-fixtures'
import { beforeEach, expect, it } from 'vitest'
import {
  type Migration,
  type TestDatabases,
  type TestDatabasesOptions,
  testDatabases,
} from '../src/index.ts'
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
  return project.options({ saveTemplates: true, linger: 1000, settings, ...more })
}

/** The paths of the clusters in the place of this file. */
function clusters(): string[] {
  return readdirSync(place).flatMap((owner) =>
    readdirSync(join(place, owner)).flatMap((name) =>
      name.startsWith('.') ? [] : join(place, owner, name),
    ),
  )
}

/** When the template of a new database was made, on a server that is gone afterwards. `others` use it, too. */
async function madeAt(options: TestDatabasesOptions, others?: TestDatabases): Promise<Date> {
  const databases = testDatabases(options)
  const db = await databases.create()
  const { rows } = await db.query<{ at: Date }>('SELECT at FROM made')
  await databases.end()
  await others?.end()
  await until('the server has ended', () => clusters().length === 0, 60_000)
  return rows[0]?.at ?? new Date(0)
}

it.each(somePostgres)('a template outlives its server, on $name', async ({ strategy }) => {
  using project = new Project({ 'm/1.sql': made })
  const options = optionsOf(project, { migrate: 'm/*.sql', strategy })
  const at = await madeAt(options)
  expect(await madeAt(options)).toEqual(at)
  // A later server adds to what is saved.
  project.write({ 'm/2.sql': 'ALTER TABLE made ADD n int DEFAULT 5' })
  expect(await madeAt(options)).toEqual(at)
  await using databases = testDatabases({ ...options, ahead: 0 })
  await using db = await databases.create()
  expect((await db.query('SELECT * FROM made')).rows).toEqual([{ at, n: 5 }])
  const names = await db.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE 'howdah_test%' AND datname <> current_database()`,
  )
  expect(names.rows).toEqual([])
})

const migrate = async ({ client }: Migration) => await client.query(made)
const seed = async ({ client }: Migration) =>
  await client.query('UPDATE made SET at = clock_timestamp()')

it.each<[string, TestDatabasesOptions]>([
  ['a function with a key', { migrate, key: [{ version: 1 }] }],
  ['SQL files with a seed', { migrate: 'm/*.sql', seed: 's/*.sql' }],
  ["a cluster of one's own", { migrate: 'm/*.sql', isolation: 'cluster' }],
])('the template of %s outlives its server', async (_, more) => {
  using project = new Project({ 'm/1.sql': made, 's/1.sql': 'TABLE made' })
  const options = optionsOf(project, more)
  const at = await madeAt(options)
  expect(await madeAt(options)).toEqual(at)
})

it.each<[string, TestDatabasesOptions, string]>([
  ['a function without a key', { migrate }, ''],
  ['a migration that makes a role', { migrate: 'm/*.sql' }, 'CREATE ROLE saved_role'],
  ['a migration with an unlogged table', { migrate: 'm/*.sql' }, 'CREATE UNLOGGED TABLE u ()'],
  ['SQL files with a function as seed', { migrate: 'm/*.sql', seed }, ''],
  ['an option that says so', { migrate: 'm/*.sql', saveTemplates: false }, ''],
])('the template of %s is made again', async (_, more, sql) => {
  using project = new Project({ 'm/1.sql': `${made}; ${sql}` })
  const options = optionsOf(project, more)
  const at = await madeAt(options)
  expect(await madeAt(options)).not.toEqual(at)
})

it('two projects with the same settings both have their templates on later servers', async () => {
  using one = new Project({ 'm/1.sql': made })
  using other = new Project({ 'm/1.sql': made })
  const options = [one, other].map((project) => optionsOf(project, { migrate: 'm/*.sql' }))
  const at: Date[] = []
  for (const each of options) at.push(await madeAt(each))
  for (const [n, each] of options.entries()) expect(await madeAt(each)).toEqual(at[n])
})

it("a role of others' migrations is not there on later servers, and keeps templates from being saved", async () => {
  using other = new Project({ 'm/1.sql': `${made}; CREATE ROLE role_of_others` })
  using project = new Project({ 'm/1.sql': made })
  const theirs = optionsOf(other, { migrate: 'm/*.sql' })
  const ours = optionsOf(project, { migrate: 'm/*.sql' })
  const others = testDatabases(theirs)
  await others.create()
  const at = await madeAt(ours, others)
  // It would fail if the role were there.
  await madeAt(theirs)
  expect(await madeAt(ours)).not.toEqual(at)
})

it('settings that a migration has given to the server do not outlive it', async () => {
  using project = new Project({ 'm/1.sql': made, 'm/2.sql': `ALTER SYSTEM SET work_mem = '77MB'` })
  const options = optionsOf(project, { migrate: 'm/*.sql' })
  const at = await madeAt(options)
  expect(await madeAt(options)).toEqual(at)
  await using databases = testDatabases(options)
  await using db = await databases.create()
  expect((await db.query('SHOW work_mem')).rows).toEqual([{ work_mem: '4MB' }])
  expect((await db.query('SHOW fsync')).rows).toEqual([{ fsync: 'off' }])
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
    await using killed = saver()
    await until(`its copy has ${file}`, () => copies().some((path) => existsSync(join(path, file))))
    await killed.kill()
    expect(copies()).toHaveLength(1)
  }
  await using last = saver()
  expect(await last.ended).toBe('status 0')
  expect(copies()).toEqual([])
})
