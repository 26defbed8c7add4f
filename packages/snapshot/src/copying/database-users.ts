import type { DatabaseUser } from '@howdah/data-directory'
import type pg from 'pg'

/**
 * Workers that PostgreSQL itself ends for a copy, or that end with their leaders. Source: `CountOtherDBBackends` of
 * PostgreSQL's `procarray.c`.
 */
const endedAnyway = ['autovacuum worker', 'parallel worker']

/** Everything that keeps a database from being copied or renamed, except this connection itself, oldest first. */
export async function usersOf(client: pg.Client, database: string): Promise<DatabaseUser[]> {
  if (!(await mayHaveUsers(client, database))) return []
  const { rows } = await client.query<DatabaseUser>(
    `SELECT pid, CASE WHEN backend_type = 'client backend' THEN coalesce(application_name, '') ELSE backend_type END
              AS application, usename::text AS "user", coalesce(state, 'in some state') AS state, backend_start AS since
       FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> ALL ($2)
      UNION ALL
     SELECT NULL, gid, owner::text, 'prepared', prepared FROM pg_catalog.pg_prepared_xacts WHERE database = $1
      ORDER BY since`,
    [database, endedAnyway],
  )
  return rows
}

/** Whether something uses a database, perhaps something that is ended anyway. The views would take three times as long. */
async function mayHaveUsers(client: pg.Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_database AS d WHERE datname = $1
        AND (EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) WHERE datid = d.oid AND pid <> pg_catalog.pg_backend_pid())
          OR EXISTS (SELECT FROM pg_catalog.pg_prepared_xact() WHERE dbid = d.oid))`,
    [database],
  )
  return rowCount !== 0
}

/** Ends all sessions of a database, except this one and the one of another backend. */
export async function endSessions(
  client: pg.Client,
  database: string,
  except: number,
): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid NOT IN ($2, pg_catalog.pg_backend_pid()) AND backend_type <> ALL ($3)`,
    [database, except, endedAnyway],
  )
}

/** The pid of the backend of a connection. */
export function backendOf(client: pg.Client): number {
  return (client as { processID?: number }).processID ?? 0
}
