import type { Session } from '@howdah/cluster'
import type PgBoss from 'pg-boss'
import { jobs, queue } from './demo.ts'

/**
 * Starts pg-boss, and sees to it that the queue is there and filled. The first worker does it; the others wait for it, and
 * find it done.
 *
 * All of it happens under one advisory lock. Without the lock, `CREATE … IF NOT EXISTS` and pg-boss's `createQueue` fail or
 * deadlock (SQLSTATE 40P01) when several processes call them at the same moment. The server frees the lock when the
 * connection ends, so that a worker that is killed on the way leaves it to the next one.
 */
export async function setUp(session: Session, boss: PgBoss): Promise<void> {
  const client = await session.connect()
  try {
    await client.query('SELECT pg_advisory_lock(1)')
    await boss.start()
    const { rows } = await client.query("SELECT to_regclass('done') IS NULL AS first")
    if (!rows[0].first) return
    await boss.createQueue(queue, { name: queue, expireInSeconds: 2, retryLimit: 10 })
    await client.query('BEGIN')
    await boss.insert(
      Array.from({ length: jobs }, (_, number) => ({ name: queue, data: { number } })),
      { db: { executeSql: (text, values) => client.query(text, values) } },
    )
    await client.query('CREATE TABLE done (job int, worker text)')
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}
