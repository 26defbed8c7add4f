import type pg from 'pg'
import { escapeIdentifier } from 'pg'
import { isState } from './connect.ts'
import { type Properties, setProperties } from './copy-properties.ts'

/** The facts that decide how to copy databases on a server. */
export interface Copying {
  /** The version as a number: 180004 is 18.4. */
  readonly version: number
  readonly fsync: boolean
}

/**
 * Copies a template, and gives the copy the settings and rights of the template. Copying its files takes a third of the CPU
 * time of writing it to WAL, but needs two checkpoints, which are cheap only if nothing waits for the disk.
 */
export async function copyDatabase(
  client: pg.Client,
  name: string,
  template: string,
  { version, fsync }: Copying,
  properties: Promise<Properties>,
): Promise<void> {
  // If the copying fails, nobody waits for them.
  properties.catch(() => undefined)
  const strategy = version >= 150000 && !fsync ? ' STRATEGY FILE_COPY' : ''
  await client.query(
    `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}${strategy}`,
  )
  await setProperties(client, name, await properties)
}

/** Drops a database, and ends the connections to it. A missing database is no error. */
export async function dropByForce(client: pg.Client, name: string, version: number): Promise<void> {
  if (version >= 130000) {
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
    return
  }
  await client.query(
    'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1',
    [name],
  )
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)}`)
}

/** Drops a template, which must be an ordinary database first. */
export async function dropTemplate(
  client: pg.Client,
  name: string,
  version: number,
): Promise<void> {
  try {
    await client.query(`ALTER DATABASE ${escapeIdentifier(name)} IS_TEMPLATE false`)
  } catch (error) {
    if (isState(error, '3D000')) return
    // It is invalid, and can only be dropped.
    if (!isState(error, '55000')) throw error
  }
  await dropByForce(client, name, version)
}

/** A client's connection to a database. */
export interface Connected {
  readonly pid: number
  readonly application: string
  readonly state: string | null
}

/** The connections of clients to a database. For other roles, the server tells little more than that they exist. */
export async function connectionsTo(client: pg.Client, name: string): Promise<Connected[]> {
  const text = `SELECT pid, coalesce(application_name, '') AS application, state FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND usesysid IS NOT NULL AND coalesce(backend_type, '') IN ('', 'client backend')`
  const { rows } = await client.query<Connected>({ name: 'connections', text, values: [name] })
  return rows
}
