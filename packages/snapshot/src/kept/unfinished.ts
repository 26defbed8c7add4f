import type pg from 'pg'
import { nameOf, patternOf } from './record.ts'

/** The `application_name` of the connections that make an unfinished database. They show that its maker lives. */
export function applicationOf(id: string): string {
  return `howdah snapshot ${id}`
}

/**
 * Drops unfinished databases that nobody finishes any more: no connection of their makers is left. The server itself knows
 * that, also for makers in other containers. A server that still copies for a killed maker counts as its connection.
 */
export async function dropUnfinished(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT datname AS name FROM pg_catalog.pg_database
      WHERE datname LIKE $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
              WHERE application_name = $2 || pg_catalog.substr(datname, $3))`,
    [patternOf('unfinished'), applicationOf(''), nameOf('unfinished', '').length + 1],
  )
  for (const { name } of rows) await dropDatabase(client, name).catch(() => undefined)
}

/** Drops a database if it exists. */
export async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)}`)
}
