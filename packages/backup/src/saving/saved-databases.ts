import { postgres, type Session, type Outcome } from '@howdah/cluster'
import type pg from 'pg'
import { isOld, type SavingLimits, mostBytes, newId } from './saving-limits.ts'

/** A database that was saved before it was dropped. */
export interface SavedDatabase {
  readonly id: string
  /** Its name before it was dropped. */
  readonly name: string
  readonly at: Date
  /** In bytes. */
  readonly size: number
}

const prefix = 'howdah-saved-'

/** Whether this is the name of a saved database. */
export function isSavedDatabase(name: string): boolean {
  return name.startsWith(prefix)
}

/**
 * Drops a database, and saves it for a while: renames it, at once and without a copy, and lets nobody connect to it. A later
 * call drops it for good if it is older than 7 days, or if it and all newer ones exceed 1 GiB.
 *
 * Rejects as `dropDatabase` does, for example with 55006 if somebody is connected to it.
 */
export async function saveDatabase(
  session: Session,
  name: string,
  limits: SavingLimits = {},
): Promise<Outcome> {
  return await administer(session, async (client) => {
    const outcome = await moveAway(session, client, name)
    await expire(client, limits)
    return outcome
  })
}

async function moveAway(session: Session, client: pg.Client, name: string): Promise<Outcome> {
  const { rows } = await client.query<{ template: boolean }>(
    'SELECT datistemplate AS template FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
  )
  const [found] = rows
  // PostgreSQL reports why these databases cannot be dropped.
  if (found === undefined || found.template || name === postgres)
    return await session.dropDatabase(name)
  const at = new Date()
  const kept = client.escapeIdentifier(`${prefix}${newId(at)}`)
  const about = client.escapeLiteral(JSON.stringify({ name, at }))
  // The statements of a simple query are one transaction.
  await client.query(
    `ALTER DATABASE ${client.escapeIdentifier(name)} RENAME TO ${kept};
     COMMENT ON DATABASE ${kept} IS ${about};
     ALTER DATABASE ${kept} WITH ALLOW_CONNECTIONS false`,
  )
  return 'modified'
}

/** The saved databases, newest first. Those that are too old are dropped for good. */
export async function savedDatabases(session: Session): Promise<SavedDatabase[]> {
  return await administer(session, async (client) => {
    for (const { id, at } of await list(client)) if (isOld(at)) await drop(client, id)
    return await list(client)
  })
}

/** Gives a saved database its name back. A database that has this name now is saved first. */
export async function bringBackDatabase(
  session: Session,
  { id, name }: SavedDatabase,
  limits: SavingLimits = {},
): Promise<void> {
  await administer(session, async (client) => {
    await moveAway(session, client, name)
    const kept = client.escapeIdentifier(`${prefix}${id}`)
    await client.query(
      `ALTER DATABASE ${kept} WITH ALLOW_CONNECTIONS true;
       COMMENT ON DATABASE ${kept} IS NULL;
       ALTER DATABASE ${kept} RENAME TO ${client.escapeIdentifier(name)}`,
    )
    // Not earlier, because the database was among the saved ones until now.
    await expire(client, limits)
  })
}

/** Drops a saved database for good. */
export async function dropSavedDatabase(session: Session, { id }: SavedDatabase): Promise<void> {
  await session.dropDatabase(`${prefix}${id}`)
}

async function list(client: pg.Client): Promise<SavedDatabase[]> {
  const { rows } = await client.query<{ datname: string; about: string | null; size: string }>(
    `SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') AS about,
            pg_catalog.pg_database_size(oid)::text AS size
       FROM pg_catalog.pg_database WHERE datname LIKE $1`,
    [`${prefix}%`],
  )
  const found = rows.flatMap(({ datname, about, size }) => {
    try {
      const { name, at } = JSON.parse(about ?? '') as Record<string, unknown>
      const date = new Date(String(at))
      if (typeof name !== 'string' || Number.isNaN(date.getTime())) return []
      return [{ id: datname.slice(prefix.length), name, at: date, size: Number(size) }]
    } catch {
      return []
    }
  })
  return found.toSorted((one, other) => other.at.getTime() - one.at.getTime())
}

async function expire(
  client: pg.Client,
  { mostBytes: most = mostBytes }: SavingLimits,
): Promise<void> {
  let bytes = 0
  for (const [index, { id, at, size }] of (await list(client)).entries()) {
    bytes += size
    if (!isOld(at) && (index === 0 || bytes <= most)) continue
    bytes -= size
    await drop(client, id)
  }
}

async function drop(client: pg.Client, id: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(`${prefix}${id}`)}`)
}

async function administer<Result>(
  session: Session,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await session.connect(postgres)
  try {
    return await action(client)
  } finally {
    await client.end()
  }
}
