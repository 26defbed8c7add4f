import type { Address } from '../connecting/address.ts'
import { questioner, rowsFrom } from './rows-from.ts'

/** A client of a server, from `pg_stat_activity`. */
export interface ConnectedClient {
  /** The pid of its backend. */
  readonly pid: number
  readonly user: string
  readonly database: string
  readonly application: string
  /** `idle`, `active`, `idle in transaction`, … */
  readonly state: string
  /** The first 100 characters of its present or last query. */
  readonly query: string
}

const sql = `SELECT pid::text, usename::text, datname::text, application_name, coalesce(state, ''),
  substr(regexp_replace(query, '\\s+', ' ', 'g'), 1, 100) FROM pg_catalog.pg_stat_activity
  WHERE backend_type = 'client backend' AND datname IS NOT NULL AND application_name <> '${questioner}'
  ORDER BY backend_start`

/**
 * The clients of a server that have logged in, by their age, without those that only ask as we do here: the backend of an earlier
 * question may still be about to end. `null` if the server does not tell: see {@link rowsFrom}.
 */
export async function connectedClients(
  address: Address,
  database: string,
): Promise<ConnectedClient[] | null> {
  const rows = await rowsFrom(address, database, sql)
  return (
    rows?.map(([pid, name = '', where = '', application = '', state = '', query = '']) => {
      return { pid: Number(pid), user: name, database: where, application, state, query }
    }) ?? null
  )
}
