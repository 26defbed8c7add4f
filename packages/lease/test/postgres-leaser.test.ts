// Mostly waits: for leases to end.
import { randomUUID } from 'node:crypto'
import { createPostgresLeaser } from '@howdah/lease/postgres'
import { Client, type Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeLeaser, refusalOf, type LeaserContext } from './describe-leaser.ts'
import type { Place } from './open-leaser.mjs'
import { startPostgres } from './postgres-server.ts'

describeLeaser('PostgreSQL', makeContext, { rounds: 10, races: 80, cycles: 160 })

async function makeContext(): Promise<LeaserContext> {
  const server = await startPostgres()
  const pool = await server.session.pool()
  await (await createPostgresLeaser({ name: 'first', pool })).acquire()
  const spoil = (assignments: string) => async (place: Place) => {
    await pool.query(`UPDATE howdah_lease SET ${assignments} WHERE name = $1`, [place['name']])
  }
  return {
    place: (options = {}): Place => ({
      backend: 'postgres',
      connectionString: server.session.url(),
      name: randomUUID(),
      ttl: 1_000,
      maxTtl: 1_000,
      ...options,
    }),
    expire: async (place) => {
      await spoil(`expires_at = clock_timestamp() - interval '1 ms'`)(place)
      return place
    },
    // Of a typed row nothing can be garbage, empty or truncated but these.
    corruptions: {
      'an end too far away': spoil(`expires_at = clock_timestamp() + interval '1 hour'`),
      'no end': spoil(`expires_at = 'infinity'`),
      'an end beyond dates': spoil(`expires_at = '290000-01-01'`),
      'no generation': spoil(`generation = -1 - generation, expires_at = now()`),
    },
    [Symbol.asyncDispose]: async () => {
      await pool.end()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('a lease in PostgreSQL', () => {
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

  test('makes its table once, though many make it at the same time', async () => {
    const table = 'made_by_many'
    const leasers = await Promise.all(
      Array.from({ length: 16 }, (_unused, n) =>
        createPostgresLeaser({ name: `${n}`, pool, table }),
      ),
    )
    const leases = await Promise.all(leasers.map((leaser) => leaser.acquire()))
    expect(leases.map(({ generation }) => generation)).toEqual(leases.map(() => 1n))
  })

  test('lives in the schema that is named, under any name', async () => {
    await pool.query('CREATE SCHEMA "of the jobs"')
    const name = `'; DROP TABLE x; --`
    const leaser = await createPostgresLeaser({ name, pool, table: 'of the jobs.lease "s"' })
    await leaser.release(await leaser.acquire())
    const { rows } = await pool.query('SELECT name FROM "of the jobs"."lease ""s"""')
    expect(rows).toEqual([{ name }])
  })

  test('is kept by the server’s clock, however wrong the holder’s is', async () => {
    const leaser = await createPostgresLeaser({ name: randomUUID(), pool, clock: () => 0 })
    const lease = await leaser.acquire()
    expect(Math.abs(lease.expiresAt.getTime() - Date.now() - leaser.ttl)).toBeLessThan(5_000)
    expect(lease.remaining).toBeGreaterThan(leaser.ttl - 5_000)
  })

  test('survives connections that the server ends in the middle', async () => {
    const name = randomUUID()
    await using leaser = await createPostgresLeaser({
      name,
      connectionString: server.session.url(),
    })
    const lease = await leaser.acquire()
    for (let n = 0; n < 10; n++) {
      const end = pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`,
        [`howdah lease ${name}`],
      )
      const [renewed] = await Promise.all([leaser.renew(lease), end])
      expect(renewed.generation).toBe(lease.generation)
    }
    await leaser.release(lease)
  })

  test('is acquired although the answer to its INSERT never came', async () => {
    let swallowed = 0
    const silent = {
      query: async (text: string, values?: unknown[]) => {
        const answer = await pool.query(text, values)
        if (!text.startsWith('INSERT') || swallowed++ > 0) return answer
        throw new Error('the connection is gone')
      },
    }
    const leaser = await createPostgresLeaser({ name: randomUUID(), pool: silent })
    const lease = await leaser.acquire()
    expect(swallowed).toBe(2)
    expect(lease.generation).toBe(1n)
    await leaser.release(lease)
  })

  test('says in bounded time that there is no server', async () => {
    const connectionString = 'postgresql://nobody@127.0.0.1:1/none'
    await using leaser = await createPostgresLeaser({ name: 'x', connectionString })
    expect(await refusalOf(leaser.acquire())).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
  })

  test('says at once that it may not, if trying again is no use', async () => {
    await pool.query('CREATE ROLE lease_guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    const client = new Client({ ...server.session.clientOptions(), user: 'lease_guest' })
    await client.connect()
    try {
      const leaser = await createPostgresLeaser({ name: 'x', pool: client, table: 'forbidden' })
      expect(await refusalOf(leaser.acquire())).toMatchObject({
        code: 'ERR_LEASE_STORE',
        cause: { code: '42501' },
      })
    } finally {
      await client.end()
    }
  })
})
