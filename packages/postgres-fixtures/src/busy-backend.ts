import { until } from '@howdah/fixtures'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import type { Connectable } from './connectable.ts'

/** A cluster with a server that can be killed. */
interface Interruptible {
  status(): Promise<{ readonly state: string; readonly pid?: number }>
  server(): Promise<Connectable>
  running(): Promise<boolean>
}

/** A backend without a postmaster. */
interface BusyBackend {
  readonly identity: ProcessIdentity
  /** What it was asked for: resolves with an error when it has ended. */
  readonly query: Promise<unknown>
}

/** Kills the postmaster of a running server while one of its backends is so busy that it does not notice. */
export async function leaveBusyBackend(cluster: Interruptible): Promise<BusyBackend> {
  const status = await cluster.status()
  const postmaster = status.pid
  if (postmaster === undefined) throw new Error('it does not run')
  const client = await (await cluster.server()).connect()
  client.on('error', () => undefined)
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const pid = rows[0]?.pid ?? 0
  // It neither reads from its client nor waits for anything.
  const query = client
    .query(`DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$`)
    .catch((error: Error) => error)
  await until('the backend is busy', async () => {
    const other = await (await cluster.server()).connect()
    const { rows: active } = await other.query(
      `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`,
      [pid],
    )
    await other.end()
    return active.length > 0
  })
  const identity = identifyProcess(pid)
  if (identity === null) throw new Error('it has ended')
  process.kill(postmaster, 'SIGKILL')
  await until('the postmaster is gone', async () => !(await cluster.running()))
  return { identity, query }
}
