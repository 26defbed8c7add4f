import type pg from 'pg'
import {
  type Administrator,
  besides,
  connected,
  inTransaction,
  postgres,
} from '../administrator.ts'
import { isOld, type SavingLimits, mostBytes } from './saving-limits.ts'
import { dropSlots, moveAway } from './move-away.ts'
import { idOf, nameOf, patternOf, readComment, timeIn } from './record.ts'
import { dropDatabase, dropUnfinished } from './unfinished.ts'

/** A database that was saved before it was dropped or replaced. */
export interface SavedDatabase {
  readonly id: string
  /** Its name before. */
  readonly name: string
  /** The name of the command that dropped or replaced it. */
  readonly by: string
  readonly at: Date
  /** In bytes. */
  readonly size: number
}

/**
 * Drops a database, and saves it for a while: renames it, at once and without a copy, and lets nobody connect to it. A later
 * call drops it for good if it is older than 7 days, or if it and all newer ones exceed 1 GiB. Its logical replication slots
 * are dropped.
 *
 * Rejects as `dropDatabase` does, for example with 55006 if somebody is connected to it.
 */
export async function saveDatabase(
  server: Administrator,
  name: string,
  limits: SavingLimits = {},
): Promise<'modified' | 'unmodified'> {
  return await connected(server, { database: postgres }, async (client) => {
    const outcome = await saveOrDrop(client, server.dataDir, name)
    await expire(client, limits)
    return outcome
  })
}

async function saveOrDrop(
  client: pg.Client,
  dataDir: string,
  name: string,
): Promise<'modified' | 'unmodified'> {
  const { rows } = await client.query<{ template: boolean }>(
    'SELECT datistemplate AS template FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
  )
  const [found] = rows
  if (found === undefined) return 'unmodified'
  if (found.template || name === postgres) {
    // PostgreSQL reports why these databases cannot be dropped.
    await dropDatabase(client, name)
    return 'modified'
  }
  await saveAway(client, dataDir, name, 'dropdb')
  return 'modified'
}

async function saveAway(
  client: pg.Client,
  dataDir: string,
  name: string,
  by: string,
): Promise<void> {
  const saved = await inTransaction(client, async () => await moveAway(client, dataDir, name, by))
  await dropSlots(client, saved.name)
}

/** The saved databases, newest first. Those that are too old are dropped for good. */
export async function savedDatabases(server: Administrator): Promise<SavedDatabase[]> {
  return await connected(server, { database: postgres }, async (client) => {
    for (const { id, at } of await listSaved(client))
      if (isOld(at)) await dropDatabase(client, nameOf('saved', id))
    return await listSaved(client)
  })
}

/** Gives a saved database its name back. A database that has this name now is saved first. */
export async function bringBackDatabase(
  server: Administrator,
  { id, name }: Pick<SavedDatabase, 'id' | 'name'>,
  limits: SavingLimits = {},
): Promise<void> {
  await connected(server, { database: besides(name) }, async (client) => {
    const saved = await inTransaction(client, async () => {
      const away = (await exists(client, name))
        ? await moveAway(client, server.dataDir, name, 'undo')
        : null
      await giveNameBack(client, nameOf('saved', id), name)
      return away
    })
    if (saved !== null) await dropSlots(client, saved.name)
    // Not earlier, because the database was among the saved ones until now.
    await expire(client, limits)
  })
}

async function giveNameBack(client: pg.Client, kept: string, name: string): Promise<void> {
  const { rows } = await client.query<{ about: string | null }>(
    `SELECT pg_catalog.shobj_description(oid, 'pg_database') AS about FROM pg_catalog.pg_database WHERE datname = $1`,
    [kept],
  )
  const { comment, allowConnections, isTemplate } = readComment(rows[0]?.about ?? null) ?? {}
  const [database, old] = [client.escapeIdentifier(name), client.escapeIdentifier(kept)]
  const words = typeof comment === 'string' ? client.escapeLiteral(comment) : 'NULL'
  await client.query(
    `ALTER DATABASE ${old} RENAME TO ${database};
     COMMENT ON DATABASE ${database} IS ${words};
     ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS ${allowConnections !== false} IS_TEMPLATE ${isTemplate === true}`,
  )
}

async function exists(client: pg.Client, name: string): Promise<boolean> {
  const sql = 'SELECT FROM pg_catalog.pg_database WHERE datname = $1'
  return (await client.query(sql, [name])).rowCount !== 0
}

/** Drops a saved database for good. */
export async function dropSavedDatabase(
  server: Administrator,
  { id }: Pick<SavedDatabase, 'id'>,
): Promise<void> {
  await connected(server, { database: postgres }, async (client) => {
    await dropDatabase(client, nameOf('saved', id))
  })
}

async function listSaved(client: pg.Client): Promise<SavedDatabase[]> {
  const { rows } = await client.query<{ datname: string; about: string | null; size: string }>(
    `SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') AS about,
            pg_catalog.pg_database_size(oid)::text AS size
       FROM pg_catalog.pg_database WHERE datname LIKE $1`,
    [patternOf('saved')],
  )
  const found = rows.flatMap(({ datname, about, size }) => {
    const record = readComment(about)
    const [at, name] = [timeIn(record), record?.['name']]
    if (typeof name !== 'string' || at === null) return []
    const by = record?.['by']
    const id = idOf('saved', datname)
    return [{ id, name, by: typeof by === 'string' ? by : 'dropdb', at, size: Number(size) }]
  })
  return found.toSorted((one, other) => other.at.getTime() - one.at.getTime())
}

/** Drops saved databases that are too old or too large together, and copies that nobody finishes. */
export async function expire(
  client: pg.Client,
  { mostBytes: most = mostBytes }: SavingLimits = {},
): Promise<void> {
  await dropUnfinished(client)
  let bytes = 0
  for (const [index, { id, at, size }] of (await listSaved(client)).entries()) {
    bytes += size
    if (!isOld(at) && (index === 0 || bytes <= most)) continue
    bytes -= size
    await dropDatabase(client, nameOf('saved', id))
  }
}
