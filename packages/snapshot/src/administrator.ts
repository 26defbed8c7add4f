import type pg from 'pg'

/** The database that administrative connections use. */
export const postgres = 'postgres'

/** A running server, as a superuser reaches it: a `Server` or `Session` of `@howdah/cluster`, for example. */
export interface Administrator {
  /** The data directory, for error messages. */
  readonly dataDir: string
  /** A new connection, which the caller ends. */
  connect(options: pg.ClientConfig): Promise<pg.Client>
}

/**
 * The database to connect to while another one is renamed. A session cannot rename its own database, and nobody else may be
 * connected to it.
 */
export function besides(database: string): string {
  return database === postgres ? 'template1' : postgres
}

/** Runs an action on a connection of its own. */
export async function connected<Result>(
  server: Administrator,
  options: pg.ClientConfig,
  action: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await server.connect(options)
  // Without a listener, the end of the server would end this process.
  client.on('error', () => undefined)
  try {
    return await action(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Runs an action in a transaction, which is rolled back if the action fails. */
export async function inTransaction<Result>(
  client: pg.Client,
  action: () => Promise<Result>,
): Promise<Result> {
  await client.query('BEGIN')
  try {
    const result = await action()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}
