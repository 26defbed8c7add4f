import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { escapeIdentifier } from 'pg'
import { describe, expect, it } from 'vitest'
import { type Migration, testDatabases, type TestDatabase } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

ownPlace()

const role = 'CREATE ROLE app_user; CREATE TABLE t (n int); GRANT SELECT ON t TO app_user'

async function dataDirOf(db: TestDatabase): Promise<string> {
  const { rows } = await db.query<{ dir: string }>(
    "SELECT current_setting('data_directory') AS dir",
  )
  return rows[0]?.dir ?? ''
}

describe('roles that a migration makes', () => {
  it('are named once, with the cure', async () => {
    using project = new Project({ 'm/1.sql': role })
    const notices: string[] = []
    const onNotice = (notice: string) => void notices.push(notice)
    await using databases = testDatabases(project.options({ migrate: 'm/*.sql', onNotice }))
    await databases.create()
    await databases.create()
    expect(notices).toEqual([
      expect.stringMatching(/^while app .* migrated, the role "app_user" .* isolation: 'cluster'$/),
    ])
  })

  it('are not named if the migration makes no roles', async () => {
    using project = new Project({ 'm/1.sql': 'CREATE TABLE t (n int)' })
    const notices: string[] = []
    const onNotice = (notice: string) => void notices.push(notice)
    await using databases = testDatabases(project.options({ migrate: 'm/*.sql', onNotice }))
    await databases.create()
    expect(notices).toEqual([])
  })

  it('make the next migration fail, and the error says what to do', async () => {
    using project = new Project({ 'm/1.sql': role })
    await using first = testDatabases(project.options({ migrate: 'm/*.sql' }))
    await first.create()
    project.write({ 'm/1.sql': `${role};` })
    await using second = testDatabases(project.options({ migrate: 'm/*.sql' }))
    await expect(second.create()).rejects.toMatchObject({
      code: 'ERR_TESTING_MIGRATE',
      message: expect.stringMatching(
        /role "app_user" already exists; roles .* outlive .* isolation: 'cluster'$/,
      ) as string,
    })
  })
})

describe('with a cluster for each', () => {
  it('roles and settings belong to one file only, and the cluster is gone at its end', async () => {
    using project = new Project({ 'm/1.sql': role })
    const notices: string[] = []
    const options = project.options({
      migrate: 'm/*.sql',
      isolation: 'cluster',
      onNotice: (notice) => void notices.push(notice),
    })
    const places = await Promise.all(
      [1, 2].map(async (n) => {
        await using databases = testDatabases(options)
        const db = await databases.create()
        await db.query(`ALTER ROLE app_user CONNECTION LIMIT ${n}`)
        const { rows } = await db.query(
          'SELECT rolconnlimit AS n FROM pg_roles WHERE rolname = $1',
          ['app_user'],
        )
        expect(rows).toEqual([{ n }])
        return await dataDirOf(db)
      }),
    )
    expect(new Set(places).size).toBe(2)
    for (const place of places) expect(existsSync(place)).toBe(false)
    expect(new Set(places.map((place) => dirname(place))).size).toBe(1)
    expect(notices).toEqual([])
  })

  it('a server that howdah did not start is refused, and so is an unknown setting', async () => {
    await using server = await givenServer()
    for (const options of [
      { isolation: 'cluster', server: server.url },
      { isolation: 'schema' as 'cluster' },
    ] as const) {
      await using databases = testDatabases(options)
      await expect(databases.create()).rejects.toMatchObject({ code: 'ERR_TESTING_OPTION' })
    }
  })
})

describe.each(['a superuser', 'a role with CREATEDB alone'])('for %s', (who) => {
  it('a database has the settings and rights that the migration has given to its own database', async () => {
    using project = new Project()
    await using given = await givenServer()
    const server = who === 'a superuser' ? given.session.url() : given.url
    await given.superuser.query('CREATE ROLE reader')
    const migrate = async ({ client }: Migration) => {
      await client.query('CREATE SCHEMA "a,b=\'c"; CREATE TABLE "a,b=\'c".t (n int)')
      for (const statement of [
        `ALTER DATABASE here SET search_path TO "a,b='c", public`,
        `ALTER DATABASE here SET statement_timeout TO '42s'`,
        'REVOKE CONNECT ON DATABASE here FROM PUBLIC',
        'GRANT CREATE ON DATABASE here TO reader WITH GRANT OPTION',
      ]) {
        const here = escapeIdentifier(client.database ?? '')
        await client.query(statement.replace('here', here))
      }
    }
    await using databases = testDatabases(project.options({ server, migrate }))
    await using db = await databases.create()
    const { rows } = await db.query(
      `SELECT current_setting('statement_timeout') AS setting, (SELECT count(*)::int FROM t) AS n,
              has_database_privilege('reader', current_database(), 'CREATE WITH GRANT OPTION') AS creates,
              has_database_privilege('reader', current_database(), 'CONNECT') AS connects`,
    )
    expect(rows).toEqual([{ setting: '42s', n: 0, creates: true, connects: false }])
  })
})
