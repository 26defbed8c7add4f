import type pg from 'pg'
import { type Properties, propertiesOf } from '../copying/properties.ts'
import { patternOf, readComment, timeIn } from './record.ts'

/** A saved content of a database. */
export interface Snapshot {
  readonly name: string
  /** The database that was saved. */
  readonly database: string
  readonly at: Date
  /** In bytes. */
  readonly size: number
}

/** All snapshots, by database and the newest first. */
export async function listSnapshots(client: pg.Client): Promise<Snapshot[]> {
  const { rows } = await client.query<{ about: string | null; size: number }>(
    `SELECT pg_catalog.shobj_description(oid, 'pg_database') AS about, pg_catalog.pg_database_size(oid)::float8 AS size
       FROM pg_catalog.pg_database WHERE datname LIKE $1`,
    [patternOf('snapshot')],
  )
  const found = rows.flatMap(({ about, size }) => {
    const record = readComment(about)
    const [at, name, database] = [timeIn(record), record?.['name'], record?.['database']]
    if (typeof name !== 'string' || typeof database !== 'string' || at === null) return []
    return [{ name, database, at, size }]
  })
  return found.toSorted((one, other) =>
    one.database < other.database
      ? -1
      : one.database > other.database
        ? 1
        : other.at.getTime() - one.at.getTime(),
  )
}

/** The properties that a snapshot has saved. Its own comment is its record. */
export async function savedProperties(client: pg.Client, place: string): Promise<Properties> {
  const properties = await propertiesOf(client, place)
  if (properties === null) throw new Error('the snapshot was dropped meanwhile')
  const { comment: words, allowConnections, isTemplate } = readComment(properties.comment) ?? {}
  return {
    ...properties,
    comment: typeof words === 'string' ? words : null,
    allowConnections: allowConnections !== false,
    isTemplate: isTemplate === true,
  }
}
