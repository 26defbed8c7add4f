// One worker of the demo: joins the cluster, works off the queue together with the others, and leaves.
// Nothing in here knows who starts PostgreSQL, or who stops it.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '@howdah/cluster'
import PgBoss from 'pg-boss'
import { type Job, jobs, queue, type Report, strategy } from './demo.ts'
import { setUp } from './set-up.ts'

const [name = '', dataDir = ''] = process.argv.slice(2)
const report = (message: Report) => process.send?.(message)

await using cluster = await run(dataDir, { database: 'demo', strategy: strategy() })
report({ kind: 'joined', worker: name, started: cluster.started === 'modified' })

const pool = await cluster.pool()
// A job whose worker is killed comes back after two seconds, to the next worker that asks.
const boss = new PgBoss({
  db: { executeSql: (text, values) => pool.query(text, values) },
  maintenanceIntervalSeconds: 1,
  schedule: false,
})
boss.on('error', (error) => report({ kind: 'trouble', worker: name, message: error.message }))
await setUp(cluster, boss)
await workUntilDone()
await boss.stop({ graceful: false, close: false })
report({ kind: 'finished', worker: name, done: await countDone() })
process.disconnect?.()

async function workUntilDone(): Promise<void> {
  for (;;) {
    const batch = await boss.fetch<Job>(queue, { batchSize: 5 })
    for (const { data, id } of batch) {
      await sleep(2 + Math.random() * 4)
      await pool.query('INSERT INTO done VALUES ($1, $2)', [data.number, name])
      await boss.complete(queue, id)
      report({ kind: 'done', worker: name, job: data.number })
    }
    if (batch.length > 0) continue
    if ((await countDone()) >= jobs) return
    // The remaining jobs were taken by a killed worker, and will come back.
    await sleep(100)
  }
}

async function countDone(): Promise<number> {
  const { rows } = await pool.query('SELECT count(DISTINCT job)::int AS count FROM done')
  return rows[0].count
}
