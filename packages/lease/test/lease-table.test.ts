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

test('a lease that another holds is not taken, and stays as it is', async () => {
  const it = lease()
  await it.take('me', 'first', 60_000)
  const held = await it.read()
  expect(await it.take('another', 'second', 60_000)).toBeNull()
  expect(await it.read()).toEqual({ ...held, now: expect.any(Number) })
})

test('a lease that is over is taken, with the next generation and a new end', async () => {
  const name = randomUUID()
  const it = lease(name)
  await it.take('me', 'first', 60_000)
  await endNow(name)
  const row = await it.take('another', 'second', 60_000)
  expect(row).toMatchObject({ generation: 2n, owner: 'another', nonce: 'second' })
  expect(row!.expiresAt - row!.now).toBeGreaterThan(50_000)
  expect(row!.expiresAt - row!.now).toBeLessThanOrEqual(60_000)
  expect(await it.read()).toEqual({ ...row, now: expect.any(Number) })
})

test('a lease that is over is still its own to a late copy of the statement that took it', async () => {
  const name = randomUUID()
  const it = lease(name)
  await it.take('me', 'first', 60_000)
  await endNow(name)
  const row = await it.take('me', 'first', 60_000)
  expect(row).toMatchObject({ generation: 1n, nonce: 'first' })
  expect(row!.expiresAt).toBeGreaterThan(row!.now)
})

test.each([
  ['another generation', 2n, 'first'],
  ['another nonce', 1n, 'second'],
])('a holding with %s is neither extended nor freed', async (_, generation, nonce) => {
  const it = lease()
  await it.take('me', 'first', 60_000)
  const held = await it.read()
  expect(await it.extend(generation, nonce, 30_000)).toBeNull()
  expect(await it.free(generation, nonce)).toBeNull()
  expect(await it.read()).toEqual({ ...held, now: expect.any(Number) })
})

test('a holding that was freed is neither extended nor freed again', async () => {
  const it = lease()
  await it.take('me', 'first', 60_000)
  expect(await it.free(1n, 'first')).toMatchObject({ generation: 1n, expiresAt: 0 })
  expect(await it.extend(1n, 'first', 60_000)).toBeNull()
  expect(await it.free(1n, 'first')).toBeNull()
  expect(await it.read()).toMatchObject({ generation: 1n, owner: 'me', expiresAt: 0 })
})

test('extending moves the end, counted from now, and nothing else', async () => {
  const it = lease()
  await it.take('me', 'first', 1_000)
  const row = await it.extend(1n, 'first', 60_000)
  expect(row).toMatchObject({ generation: 1n, owner: 'me', nonce: 'first' })
  expect(row!.expiresAt - row!.now).toBeGreaterThan(50_000)
  expect(row!.expiresAt - row!.now).toBeLessThanOrEqual(60_000)
})

test('a holding that is over, and that nobody took, is extended and freed', async () => {
  const name = randomUUID()
  const it = lease(name)
  await it.take('me', 'first', 60_000)
  await endNow(name)
  const row = await it.extend(1n, 'first', 60_000)
  expect(row!.expiresAt).toBeGreaterThan(row!.now)
  await endNow(name)
  expect(await it.free(1n, 'first')).toMatchObject({ expiresAt: 0 })
})

test('a reset frees the lease once, however often its statement comes', async () => {
  const it = lease()
  await it.take('me', 'first', 60_000)
  const row = { generation: 2n, owner: 'another', nonce: 'second', expiresAt: 0 }
  for (const _ of [1, 2]) expect(await it.reset('another', 'second')).toMatchObject(row)
  expect(await it.take('a third', 'third', 60_000)).toMatchObject({ generation: 3n })
})

test('a reset of what nobody ever held makes generation 1, which the next one follows', async () => {
  const it = lease()
  expect(await it.read()).toBeNull()
  expect(await it.reset('me', 'first')).toMatchObject({ generation: 1n, expiresAt: 0 })
  expect(await it.take('another', 'second', 60_000)).toMatchObject({ generation: 2n })
})

test('leases of other names stay as they are', async () => {
  const [one, other] = [lease(), lease()]
  await one.take('me', 'first', 60_000)
  await other.take('me', 'first', 60_000)
  const held = await other.read()
  await one.extend(1n, 'first', 30_000)
  await one.free(1n, 'first')
  await one.reset('me', 'second')
  await one.take('me', 'third', 30_000)
  expect(await other.read()).toEqual({ ...held, now: expect.any(Number) })
})

test.each([
  ['infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['2030-01-02 03:04:05.678+00', Date.UTC(2030, 0, 2, 3, 4, 5, 678)],
])('an end at %s is told in ms', async (end, expiresAt) => {
  const name = randomUUID()
  const it = lease(name)
  await it.take('me', 'first', 60_000)
  await pool.query('UPDATE leases SET expires_at = $2 WHERE name = $1', [name, end])
  const row = await it.read()
  expect(row!.expiresAt).toBe(expiresAt)
  expect(Math.abs(row!.now - Date.now())).toBeLessThan(60_000)
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
    expect(await it.reset('another', 'second')).toMatchObject({ generation: 1n })
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

/** Makes a lease over, as if its time had passed. */
async function endNow(name: string): Promise<void> {
  await pool.query(
    `UPDATE leases SET expires_at = clock_timestamp() - interval '1 ms' WHERE name = $1`,
    [name],
  )
}

/** A pool whose sessions have `synchronous_commit` set. */
async function careful(setting: string): Promise<{ pool: Pool } & AsyncDisposable> {
  const own = new Pool({
    connectionString: server.session.url(),
    options: `-c synchronous_commit=${setting}`,
  })
  return { pool: own, [Symbol.asyncDispose]: () => own.end() }
}
