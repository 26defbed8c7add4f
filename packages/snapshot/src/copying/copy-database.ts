import type pg from 'pg'
import { type Administrator, connected, postgres } from '../administrator.ts'
import { backendOf } from './database-users.ts'

/** What to copy. */
export interface Copy {
  readonly from: string
  /** The new database. */
  readonly to: string
  /** Whether clients may connect to the new database. */
  readonly allowConnections: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Copies a database to which nobody else is connected. Rejects with PostgreSQL's error 55006 if somebody is connected, and
 * with 42P04 if the new one is there. If `signal` is aborted, the server stops copying and removes the copy.
 */
export async function copyDatabase(
  server: Administrator,
  client: pg.Client,
  { from, to, allowConnections, signal }: Copy,
): Promise<void> {
  signal?.throwIfAborted()
  const strategy = await chooseStrategy(client, from)
  const [copy, original] = [client.escapeIdentifier(to), client.escapeIdentifier(from)]
  const cancel = () => void cancelQuery(server, client).catch(() => undefined)
  signal?.addEventListener('abort', cancel)
  try {
    await client.query(
      `CREATE DATABASE ${copy} WITH TEMPLATE ${original} ALLOW_CONNECTIONS ${allowConnections}${strategy}`,
    )
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/** From this size on, in bytes, copying files is quicker than writing pages to WAL, though it takes two checkpoints. */
const large = 32 * 1024 * 1024

/**
 * Chooses how the server copies a database: by files if that is quicker. Then it shares the blocks of the files if it can, on
 * file systems such as XFS and Btrfs. Before PostgreSQL 15 it always copies files.
 */
async function chooseStrategy(client: pg.Client, database: string): Promise<string> {
  const { rows } = await client.query<{ version: number; syncs: boolean; size: number }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') <> 'off' AS syncs,
            pg_catalog.pg_database_size(oid)::float8 AS size
       FROM pg_catalog.pg_database WHERE datname = $1`,
    [database],
  )
  const { version = 0, syncs = true, size = 0 } = rows[0] ?? {}
  if (version < 150_000 || (syncs && size < large)) return ''
  if (version >= 180_000) {
    // invalid_parameter_value: this PostgreSQL was built without it.
    await client.query('SET file_copy_method = clone').catch(() => undefined)
  }
  return ' STRATEGY FILE_COPY'
}

async function cancelQuery(server: Administrator, client: pg.Client): Promise<void> {
  await connected(server, { database: postgres }, async (other) => {
    await other.query('SELECT pg_catalog.pg_cancel_backend($1)', [backendOf(client)])
  })
}
