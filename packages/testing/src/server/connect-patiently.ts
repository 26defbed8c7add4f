import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { TestingError } from '../errors.ts'
import type { Workplace } from '../workplace.ts'
import { connect, isState } from './connect.ts'
import { readLabel } from './label.ts'
import type { Administrator } from './administrator.ts'
import type { Maker } from './maker.ts'

/** After so many ms, the wait is reported. */
const firstWord = 1000

/** The context of a wait for a connection. */
type Patience = Pick<Workplace, 'server' | 'notice' | 'timeout'> & {
  /** The connection by which the server can still be asked for its clients; `null` if there is none. */
  readonly administrator: Administrator | null
  /** The connection that is given up during the wait if it is idle: processes that keep one and wait for another could all wait. */
  readonly maker?: Maker
}

/**
 * Connects to a database. If the server has no connection left, it waits, because others give theirs back. After the timeout
 * it rejects with `ERR_TESTING_CONNECTIONS`, which says which clients have how many.
 */
export async function connectPatiently(patience: Patience, database: string): Promise<pg.Client> {
  return await withConnection(patience, async () => await connect(patience.server, database))
}

/** Runs an action that needs a connection, as soon as there is one. */
export async function withConnection<T>(patience: Patience, open: () => Promise<T>): Promise<T> {
  const { notice, timeout, administrator, maker } = patience
  const started = performance.now()
  let isTold = false
  for (;;) {
    try {
      return await open()
    } catch (cause) {
      // too_many_connections
      if (!isState(cause, '53300')) throw cause
      await maker?.giveWay()
      const waited = performance.now() - started
      if (waited > Math.min(firstWord, timeout)) {
        const words = `the server has no connection left (${(cause as Error).message}): ${await whoHasThem(administrator)}`
        if (waited > timeout) {
          const cure = 'end some, run fewer workers, or raise max_connections'
          throw new TestingError('ERR_TESTING_CONNECTIONS', `${words}; ${cure}`, { cause })
        }
        if (!isTold) notice(`${words}; waiting for one`)
        isTold = true
      }
      await sleep(50)
    }
  }
}

async function whoHasThem(administrator: Administrator | null): Promise<string> {
  if (administrator === null) return 'it lets nobody in who could ask it who has them'
  const rows = await administrator.query<{
    application: string
    role: string | null
    comment: string | null
    count: number
  }>(
    `SELECT coalesce(nullif(application_name, ''), 'clients without a name') AS application, usename AS role,
            pg_catalog.shobj_description(datid, 'pg_database') AS comment, count(*)::int AS count
       FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL
      GROUP BY 1, 2, 3 ORDER BY 4 DESC`,
  )
  const counts = new Map<string, number>()
  for (const { application, role, comment, count } of rows) {
    const owner = readLabel(comment)?.user
    const who =
      owner === undefined || application.includes(owner)
        ? `${application} as ${role ?? 'nobody'}`
        : `${application} on databases of ${owner}`
    counts.set(who, (counts.get(who) ?? 0) + count)
  }
  const all = [...counts].toSorted(([, one], [, other]) => other - one)
  const shown = all.slice(0, 10).map(([who, count]) => `${count} by ${who}`)
  const others = all.slice(10).reduce((sum, [, count]) => sum + count, 0)
  const { maxConnections } = administrator.facts
  return `of ${maxConnections}, ${shown.join(', ')}${others > 0 ? `, ${others} by others` : ''}`
}
