import type pg from 'pg'

/** Settings that must be at least as high, or equal, on a server that replays the WAL as on the server that wrote it. */
export async function neededSettings(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_catalog.pg_settings
      WHERE name IN ('max_connections', 'max_prepared_transactions', 'max_locks_per_transaction')
         OR (name = 'shared_preload_libraries' AND source = 'command line')`,
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}
