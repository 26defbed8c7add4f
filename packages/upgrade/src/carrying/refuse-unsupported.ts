import { postgres, type Server } from '@howdah/cluster'
import { asking } from '../source.ts'
import { unsupported } from '../errors.ts'
import { type Facts, isOurs } from './facts.ts'

/** Throws `ERR_UPGRADE_UNSUPPORTED` if the old cluster has something that cannot be carried over. */
export async function refuseUnsupported(server: Server, { databases }: Facts): Promise<void> {
  const { dataDir } = server
  const closed = databases.filter((one) => !one.isOpen && !one.isInvalid && !isOurs(one))
  if (closed.length > 0) {
    const names = closed.map(({ name }) => name).join(', ')
    const cure = `allow it with: ALTER DATABASE ${closed[0]?.name} ALLOW_CONNECTIONS true`
    throw unsupported(
      dataDir,
      `nobody may connect to database ${names}, so it cannot be read; ${cure}`,
    )
  }
  await asking(server, postgres, async (client) => {
    const found = async (sql: string) => {
      const { rows } = await client.query<{ name: string }>(sql)
      return rows.length === 0 ? null : rows.map(({ name }) => name).join(', ')
    }
    if ((await found(`SELECT 'x' AS name WHERE pg_catalog.pg_is_in_recovery()`)) !== null)
      throw unsupported(dataDir, 'it is a standby; upgrade its primary, and clone that')
    const prepared = await found(
      `SELECT format('%L in database %s', gid, database) AS name FROM pg_catalog.pg_prepared_xacts`,
    )
    if (prepared !== null)
      throw unsupported(
        dataDir,
        `it has prepared transactions (${prepared}); commit them, or roll them back`,
      )
    const inside = await found(
      `SELECT spcname AS name FROM pg_catalog.pg_tablespace
        WHERE pg_catalog.pg_tablespace_location(oid) LIKE current_setting('data_directory') || '/%'`,
    )
    if (inside !== null)
      throw unsupported(
        dataDir,
        `its tablespace ${inside} lies in the data directory; move its tables, and drop it`,
      )
    const elsewhere = await found(
      `SELECT setting AS name FROM pg_catalog.pg_file_settings WHERE name = 'data_directory'`,
    )
    if (elsewhere !== null)
      throw unsupported(
        dataDir,
        `its configuration sets data_directory (${elsewhere}); remove that line`,
      )
  })
}
