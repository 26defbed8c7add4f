import { randomUUID } from 'node:crypto'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LeaseTable } from '../src/postgres/lease-table.ts'
import { startPostgres } from './postgres-server.ts'

let server: Awaited<ReturnType<typeof startPostgres>>
let pool: Pool

beforeAll(async () => {
  server = await startPostgres()
  pool = await server.session.pool()
})
afterAll(async () => {
  await pool?.end()
  await server?.[Symbol.asyncDispose]()
})

/** The row of a new lease, in a table of its own. */
function lease(name: string = randomUUID(), table = 'leases'): LeaseTable {
  return new LeaseTable('here', pool, table, name, 10_000)
}

test('what was released is not taken again by a copy of its own statement that comes late', async () => {
  const it = lease()
  const row = await it.take('me', 'first', 60_000)
  await it.free(row!.generation, 'first')
  expect(await it.take('me', 'first', 60_000)).toBeNull()
  expect(await it.take('another', 'second', 60_000)).toMatchObject({ generation: 2n })
})

test('a copy of the statement that comes while the lease is held finds it, with its generation', async () => {
  const it = lease()
  const row = await it.take('me', 'first', 60_000)
  expect(await it.take('me', 'first', 60_000)).toMatchObject({ generation: row!.generation })
})

test.each([0, -1])(
  'a row with generation %i is corrupt, and nobody takes it',
  async (generation) => {
    const name = randomUUID()
    const it = lease(name)
    await it.take('me', 'first', 60_000)
    await pool.query('UPDATE leases SET generation = $2, expires_at = now() WHERE name = $1', [
      name,
      generation,
    ])
    expect(await it.take('another', 'second', 60_000)).toBeNull()
  },
)

test.each([
  ['off', 'on'],
  ['local', 'local'],
  ['on', 'on'],
])(
  'each change is committed durably: synchronous_commit %s of the session counts as %s',
  async (session, during) => {
    const table = `durable_${session}`
    const name = randomUUID()
    await using careless = await careful(session)
    const it = new LeaseTable('here', careless.pool, table, name, 10_000)
    await it.read()
    await pool.query(`
      CREATE TABLE ${table}_seen (setting text);
      CREATE FUNCTION ${table}_look() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO ${table}_seen VALUES (current_setting('synchronous_commit'));
          RETURN NEW;
        END $$;
      CREATE TRIGGER look BEFORE INSERT OR UPDATE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION ${table}_look()`)
    const changes = [
      () => it.take('me', 'one', 60_000),
      () => it.extend(1n, 'one', 60_000),
      () => it.free(1n, 'one'),
      () => it.reset('me', 'two'),
    ]
    for (const change of changes) {
      expect(await change()).not.toBeNull()
      const { rows } = await pool.query<{ setting: string }>(
        `WITH seen AS (DELETE FROM ${table}_seen RETURNING setting) SELECT DISTINCT setting FROM seen`,
      )
      expect(rows.map(({ setting }) => setting)).toEqual([during])
    }
  },
)

/** A pool whose sessions have `synchronous_commit` set. */
async function careful(setting: string): Promise<{ pool: Pool } & AsyncDisposable> {
  const own = new Pool({
    connectionString: server.session.url(),
    options: `-c synchronous_commit=${setting}`,
  })
  return { pool: own, [Symbol.asyncDispose]: () => own.end() }
}
