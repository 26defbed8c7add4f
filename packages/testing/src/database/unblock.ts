import type pg from 'pg'
import { connect } from '../server/connect.ts'
import type { ReachableServer } from '../server/test-server.ts'

const obstacles = `
  SELECT database, format('ROLLBACK PREPARED %L', gid) AS removal FROM pg_catalog.pg_prepared_xacts
   UNION ALL
  SELECT database, format('SELECT pg_catalog.pg_drop_replication_slot(%L)', slot_name)
    FROM pg_catalog.pg_replication_slots WHERE NOT active`

/**
 * Removes what else than connections keeps a database from being dropped: prepared transactions, which can be rolled back only
 * from the database itself, and logical replication slots. `client` looks whether there are any, because PostgreSQL would wait
 * 5 s before it refuses the drop. Errors of the removal are ignored, and the drop then fails.
 */
export async function unblock(
  client: pg.Client,
  server: ReachableServer,
  name: string,
): Promise<void> {
  const text = `SELECT FROM (${obstacles}) AS obstacles WHERE database = $1`
  const { rowCount } = await client.query({ name: 'obstacles', text, values: [name] })
  if (rowCount === 0) return
  try {
    const inside = await connect(server, name)
    try {
      const { rows } = await inside.query<{ removal: string }>(
        `SELECT removal FROM (${obstacles}) AS obstacles WHERE database = current_database()`,
      )
      for (const { removal } of rows) await inside.query(removal)
    } finally {
      await inside.end()
    }
  } catch {
    // For example, it takes no connections any more.
  }
}
