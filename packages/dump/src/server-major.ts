import type pg from 'pg'

/** The server's major version. */
export async function majorOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ number: string }>(
    `SELECT pg_catalog.current_setting('server_version_num') AS number`,
  )
  return Math.floor(Number(rows[0]?.number) / 10_000)
}
