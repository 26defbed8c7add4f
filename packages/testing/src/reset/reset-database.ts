import type pg from 'pg'
import { TestingError } from '../errors.ts'
import { isState } from '../server/connect.ts'
import type { Baseline, Table } from './baseline.ts'
import { differences, readFingerprint } from './fingerprint.ts'

/** How long another transaction may hold a table, in ms. */
const lockTimeout = 5000

/**
 * Restores the rows and sequences of a database to those of its template, in one transaction. Rejects with
 * `ERR_TESTING_SCHEMA_CHANGED` if the schema has changed, and with `ERR_TESTING_RESET_BLOCKED` if another transaction holds a
 * table.
 */
export async function resetDatabase(
  client: pg.Client,
  database: string,
  baseline: Baseline,
): Promise<void> {
  await refuseChanged(client, database, baseline)
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${lockTimeout}`)
    await restoreRows(client, await touchedTables(client, baseline))
    for (const view of baseline.views) await client.query(`REFRESH MATERIALIZED VIEW ${view}`)
    await client.query(
      `SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata
        WHERE NOT oid::text = ANY ($1::text[])`,
      [baseline.largeObjects],
    )
    await client.query(
      `SELECT pg_catalog.setval(oid::bigint::oid::regclass, value::bigint, called)
         FROM unnest($1::float8[], $2::text[], $3::bool[]) AS sequence (oid, value, called)`,
      [
        baseline.sequences.map(({ oid }) => oid),
        baseline.sequences.map(({ value }) => value),
        baseline.sequences.map(({ called }) => called),
      ],
    )
    await client.query('COMMIT')
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined)
    // lock_not_available
    if (isState(cause, '55P03')) throw await blocked(client, database, cause)
    throw cause
  }
}

async function refuseChanged(
  client: pg.Client,
  database: string,
  { fingerprint }: Baseline,
): Promise<void> {
  const changed = differences(fingerprint, await readFingerprint(client))
  if (changed.length === 0) return
  const some = changed.slice(0, 3).join(', ') + (changed.length > 3 ? ', …' : '')
  throw new TestingError(
    'ERR_TESTING_SCHEMA_CHANGED',
    `the schema of ${database} has changed since it was created (${some}), so its rows cannot be reset; create() another database`,
  )
}

/** The tables that have rows now or should have rows, and the tables that refer to them, which must be emptied with them. */
async function touchedTables(client: pg.Client, { tables }: Baseline): Promise<Table[]> {
  const { rows } = await client.query<{ oid: number }>(
    `SELECT oid::float8 AS oid FROM unnest($1::float8[]) AS one (oid)
      WHERE pg_catalog.pg_relation_size(oid::bigint::oid::regclass) > 0`,
    [[...tables.keys()]],
  )
  const filled = [...tables.values()].filter((table) => table.rows.length > 0)
  const touched = new Set([...rows, ...filled].map(({ oid }) => oid))
  for (const oid of touched) {
    for (const referrer of tables.get(oid)?.referrers ?? []) touched.add(referrer)
  }
  return [...tables.values()].filter(({ oid }) => touched.has(oid))
}

async function restoreRows(client: pg.Client, tables: readonly Table[]): Promise<void> {
  if (tables.length === 0) return
  const triggers = tables.flatMap((table) => table.triggers)
  for (const { off } of triggers) await client.query(off)
  await client.query(`TRUNCATE ONLY ${tables.map(({ name }) => name).join(', ONLY ')}`)
  const filled = tables.filter(({ rows }) => rows.length > 0)
  if (filled.length > 0) {
    // All rows are inserted in one statement. Foreign keys are checked at its end, so the order of the tables does not
    // matter.
    const inserts = filled.map(({ name, columns }, at) => {
      const values = columns.map((column) => `(howdah_row).${column}`).join(', ')
      return `i${at} AS (INSERT INTO ${name} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE
        SELECT ${values} FROM (SELECT line::${name} AS howdah_row FROM unnest($${at + 1}::text[]) AS line OFFSET 0) AS lines)`
    })
    await client.query(
      `WITH ${inserts.join(', ')} SELECT`,
      filled.map(({ rows }) => rows),
    )
  }
  for (const { on } of triggers) await client.query(on)
}

async function blocked(client: pg.Client, database: string, cause: unknown): Promise<TestingError> {
  const { rows } = await client.query<{ pid: number; application: string; query: string }>(
    `SELECT pid, coalesce(application_name, '') AS application, left(coalesce(query, ''), 80) AS query
       FROM pg_catalog.pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`,
  )
  const who = rows.map(
    ({ pid, application, query }) => `${application || 'a client'} (pid ${pid}): ${query}`,
  )
  return new TestingError(
    'ERR_TESTING_RESET_BLOCKED',
    `${database} cannot be reset: for ${lockTimeout} ms, a transaction has held its tables; ${who.join('; ') || 'it has ended since'}; end it, and reset again`,
    { cause },
  )
}
