import { temporary } from '@howdah/cluster'
import { newest, type Subject } from '@howdah/postgres-fixtures'
import { Client } from 'pg'

/** A server that is not howdah's for tests, as a service in CI is, and a role there that has CREATEDB alone. */
export async function givenServer(
  subject: Subject = newest,
  settings: Readonly<Record<string, string>> = {},
) {
  const session = await temporary({ strategy: subject.strategy, tcp: true, settings })
  const superuser = await session.connect()
  await superuser.query(`CREATE ROLE tester LOGIN CREATEDB PASSWORD 'p@ss/word'`)
  const { host, port } = session.address
  const url = (database: string) =>
    `postgresql://tester:${encodeURIComponent('p@ss/word')}@${host}:${port}/${database}?sslmode=disable`
  return {
    url: url('postgres'),
    urlOf: url,
    superuser,
    session,
    /** The names of databases that howdah has made, in order. */
    async databases(like = 'howdah_%'): Promise<string[]> {
      const { rows } = await superuser.query<{ name: string }>(
        'SELECT datname AS name FROM pg_database WHERE datname LIKE $1 ORDER BY 1',
        [like],
      )
      return rows.map(({ name }) => name)
    },
    async connectTo(database: string): Promise<Client> {
      const client = new Client({ connectionString: url(database) })
      client.on('error', () => undefined)
      await client.connect()
      return client
    },
    [Symbol.asyncDispose]: async () => void (await session.leave()),
  }
}
