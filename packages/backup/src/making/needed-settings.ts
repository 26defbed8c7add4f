import type pg from 'pg'

/** Settings that a server which replays the WAL needs at least as high as the server that wrote it, or equal. */
export async function neededSettings(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_catalog.pg_settings
      WHERE name IN ('max_connections', 'max_prepared_transactions', 'max_locks_per_transaction')
         OR (name = 'shared_preload_libraries' AND source = 'command line')`,
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}
