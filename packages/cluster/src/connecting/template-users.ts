import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterError } from '@howdah/data-directory'
import type pg from 'pg'

/** How long a leaving client of the template may take, in ms. */
const patience = 500

/**
 * Waits a moment until nobody is connected to a database that will be copied.
 *
 * Throws `ERR_CLUSTER_TEMPLATE_IN_USE`, which names the clients. PostgreSQL itself waits for 5 s, and its error 55006 does
 * not name them.
 */
export async function refuseTemplateUsers(
  client: pg.Client,
  dataDir: string,
  template: string,
): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    const users = await usersOf(client, template)
    if (users.length === 0) return
    if (performance.now() > deadline) {
      throw new ClusterError(
        'ERR_CLUSTER_TEMPLATE_IN_USE',
        dataDir,
        `the database "${template}" cannot be copied while somebody is connected to it: ${users.join(', ')}; ` +
          `end that, as with SELECT pg_terminate_backend(…), and connect to databases that are not copied`,
      )
    }
    await sleep(20)
  }
}

async function usersOf(client: pg.Client, template: string): Promise<string[]> {
  const { rows } = await client.query<{
    pid: number
    usename: string
    application_name: string
    state: string | null
    since: string
  }>(
    `SELECT pid, usename, application_name, state, backend_start::timestamptz(0)::text AS since
       FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
      ORDER BY backend_start`,
    [template],
  )
  return rows.map(({ pid, usename, application_name: application, state, since }) => {
    const what = application === '' ? 'a client' : application
    return `${what} as "${usename}", ${state ?? 'in some state'}, since ${since} (backend ${pid})`
  })
}
