import type pg from 'pg'
import { databaseMissing, databaseNeeded } from '../errors.ts'
import { type Properties, propertiesOf } from '../copying/properties.ts'
import { nameOf, newId, toComment } from './record.ts'

/** A database that was moved away. */
export interface MovedAway {
  /** Its name now. */
  readonly name: string
  /** Its properties before. */
  readonly properties: Properties
}

/**
 * Renames a database to which nobody is connected, so that it is saved, and lets nobody connect to it. Call it in a
 * transaction, and {@link dropSlots} afterwards.
 *
 * Throws `ERR_CLUSTER_DATABASE_NEEDED` if it has subscriptions, which stay with it, as `DROP DATABASE` does.
 */
export async function moveAway(
  client: pg.Client,
  dataDir: string,
  database: string,
  by: string,
): Promise<MovedAway> {
  const at = new Date()
  const name = nameOf('saved', newId(at))
  const kept = client.escapeIdentifier(name)
  // From here on, nobody else can change the database before the end of the transaction.
  await client.query(`ALTER DATABASE ${client.escapeIdentifier(database)} RENAME TO ${kept}`)
  const properties = await propertiesOf(client, name)
  if (properties === null) throw databaseMissing(dataDir, database)
  await refuseSubscriptions(client, dataDir, name, database)
  const { comment, allowConnections, isTemplate } = properties
  const record = { name: database, at, by, comment, allowConnections, isTemplate }
  await client.query(
    `COMMENT ON DATABASE ${kept} IS ${client.escapeLiteral(toComment(record))};
     ALTER DATABASE ${kept} WITH ALLOW_CONNECTIONS false IS_TEMPLATE false`,
  )
  return { name, properties }
}

/**
 * Drops the logical replication slots of a database that was moved away, as `DROP DATABASE` does. They would hold WAL for
 * nobody. Gives their names.
 */
export async function dropSlots(client: pg.Client, name: string): Promise<string[]> {
  const { rows } = await client.query<{ slot: string }>(
    'SELECT slot_name::text AS slot FROM pg_catalog.pg_replication_slots WHERE database = $1 AND NOT active',
    [name],
  )
  for (const { slot } of rows)
    await client.query('SELECT pg_catalog.pg_drop_replication_slot($1)', [slot])
  return rows.map(({ slot }) => slot)
}

async function refuseSubscriptions(
  client: pg.Client,
  dataDir: string,
  name: string,
  database: string,
): Promise<void> {
  const { rows } = await client.query<{ subscription: string }>(
    `SELECT subname::text AS subscription FROM pg_catalog.pg_subscription s
       JOIN pg_catalog.pg_database d ON d.oid = subdbid WHERE datname = $1`,
    [name],
  )
  if (rows.length === 0) return
  const subscriptions = rows.map(({ subscription }) => `"${subscription}"`).join(', ')
  throw databaseNeeded(
    dataDir,
    database,
    `it has the subscription ${subscriptions}; drop that first, as with ALTER SUBSCRIPTION … DISABLE and DROP SUBSCRIPTION`,
  )
}
