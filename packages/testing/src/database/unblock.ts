import { connect } from '../server/connect.ts'
import type { ReachableServer } from '../server/test-server.ts'

/**
 * Removes what else than connections keeps a database from being dropped: prepared transactions, which can be rolled back only
 * from the database itself, and logical replication slots. Errors are ignored, and the drop then fails.
 */
export async function unblock(server: ReachableServer, name: string): Promise<void> {
  try {
    const client = await connect(server, name)
    try {
      const { rows } = await client.query<{ removal: string }>(
        `SELECT format('ROLLBACK PREPARED %L', gid) AS removal
           FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
         UNION ALL SELECT format('SELECT pg_catalog.pg_drop_replication_slot(%L)', slot_name)
           FROM pg_catalog.pg_replication_slots WHERE database = current_database() AND NOT active`,
      )
      for (const { removal } of rows) await client.query(removal)
    } finally {
      await client.end()
    }
  } catch {
    // For example, it takes no connections any more.
  }
}
