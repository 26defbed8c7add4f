import { readFileSync } from 'node:fs'
import type pg from 'pg'
import type { Address } from './address.ts'

/** The `application_name` of the clients that a session makes. */
export const ownApplication = 'howdah'

/** The complete options for node-postgres; see `Server.clientOptions`. */
export function clientOptions(
  { host, port, user, password, authority }: Address,
  database: string,
  given: string | pg.ClientConfig,
): pg.ClientConfig {
  const options = typeof given === 'string' ? { database: given } : given
  const told = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    host,
    port,
    user,
    database,
    ssl: authority === undefined ? false : { ca: readFileSync(authority, 'utf8') },
    application_name: ownApplication,
    client_encoding: 'UTF8',
    // A missing or empty value would be taken from PGPASSWORD and PGOPTIONS.
    password: password ?? (() => ''),
    options: ' ',
    ...Object.fromEntries(told),
  }
}
