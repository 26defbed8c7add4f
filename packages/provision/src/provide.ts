import type { Server } from '@howdah/cluster'
import type pg from 'pg'
import type { Asked } from './asked.ts'
import { ProvisionError } from './errors.ts'
import type { Wanted, WantedDatabase, WantedRole } from './wanted.ts'

/** The attributes of a role, as `CREATE ROLE` writes them. */
const attributes = [
  'login',
  'superuser',
  'createdb',
  'createrole',
  'replication',
  'bypassrls',
] as const

/**
 * Makes the roles, databases and extensions that are missing, and gives the roles their attributes. Nothing is removed.
 * `client` is a connection of the superuser to any database. Throws `ERR_PROVISION_FAILED`.
 */
export async function provide(
  server: Server,
  client: pg.Client,
  asked: Asked,
  { roles, databases }: Wanted,
): Promise<void> {
  const at = async (key: string, action: () => Promise<void>) => {
    try {
      await action()
    } catch (cause) {
      if (cause instanceof ProvisionError) throw cause
      const { message, hint } = cause as pg.DatabaseError
      const why = hint === undefined ? message : `${message} (${hint})`
      throw new ProvisionError('ERR_PROVISION_FAILED', { path: asked.path, key }, why, { cause })
    }
  }
  // Passwords do not belong into the server's log.
  await client.query(
    "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'; " +
      "SET password_encryption = 'scram-sha-256'; SET client_min_messages = 'error'",
  )
  for (const role of roles) {
    await at(`roles.${role.name}`, async () => await provideRole(server, client, asked, role))
  }
  for (const { name, memberOf = [] } of roles) {
    for (const group of memberOf) {
      await at(`roles.${name}.memberOf`, async () => {
        await client.query(`GRANT ${quoted(client, group)} TO ${quoted(client, name)}`)
      })
    }
  }
  for (const database of databases) {
    await at(`databases.${database.name}`, async () => {
      await provideDatabase(server, client, database)
    })
  }
}

async function provideRole(
  server: Server,
  client: pg.Client,
  { path }: Asked,
  role: WantedRole,
): Promise<void> {
  const { name, password } = role
  if (name === server.address.user) {
    const key = { path, key: `roles.${name}` }
    const why =
      'it is the superuser of the cluster; take it out, and write its password as tcp.password'
    throw new ProvisionError('ERR_PROVISION_FAILED', key, why)
  }
  const found = await client.query('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [name])
  const isNew = found.rowCount === 0
  const told = attributes.flatMap((attribute) => {
    const value = role[attribute] ?? (isNew && attribute === 'login' ? true : undefined)
    return value === undefined ? [] : [`${value ? '' : 'NO'}${attribute.toUpperCase()}`]
  })
  if (password !== null) told.push(`PASSWORD ${client.escapeLiteral(password)}`)
  if (!isNew && told.length === 0) return
  await client.query(`${isNew ? 'CREATE' : 'ALTER'} ROLE ${quoted(client, name)} ${told.join(' ')}`)
}

async function provideDatabase(
  server: Server,
  client: pg.Client,
  { name, owner, extensions }: WantedDatabase,
): Promise<void> {
  await server.createDatabase(name)
  if (owner !== null)
    await client.query(`ALTER DATABASE ${quoted(client, name)} OWNER TO ${quoted(client, owner)}`)
  if (extensions.length === 0) return
  const inside = await server.connect(name)
  try {
    await inside.query("SET client_min_messages = 'error'")
    for (const extension of extensions)
      await inside.query(`CREATE EXTENSION IF NOT EXISTS ${quoted(inside, extension)} CASCADE`)
  } finally {
    await inside.end()
  }
}

function quoted(client: pg.Client, name: string): string {
  return client.escapeIdentifier(name)
}
