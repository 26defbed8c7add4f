import { temporary } from '@howdah/cluster'
import PgBoss from 'pg-boss'
import { expect, test } from 'vitest'
import { jobs, queue, strategy } from '../src/demo.ts'
import { setUp } from '../src/set-up.ts'

test('workers that set the queue up at the same moment end with one queue, filled once', async () => {
  await using cluster = await temporary({ strategy: strategy() })
  const pool = await cluster.pool()
  const bosses = Array.from({ length: 12 }, () => {
    const db = { executeSql: (text: string, values: unknown[]) => pool.query(text, values) }
    return new PgBoss({ db, schedule: false, supervise: false })
  })
  const outcomes = await Promise.allSettled(bosses.map((boss) => setUp(cluster, boss)))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
  expect(await bosses[0]?.getQueueSize(queue)).toBe(jobs)
  await Promise.all(bosses.map((boss) => boss.stop({ graceful: false, close: false })))
})
