import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'

/** The password that is stored beside the cluster; `null` if there is none. */
export function storedPassword(directory: DataDirectory): string | null {
  return readIfThere(directory.passwordFile)?.replace(/\r?\n$/, '') ?? null
}

/**
 * Stores a password for TCP connections beside the cluster, with mode 0600; by default a generated one. The caller holds the
 * change lock.
 */
export async function storePassword(
  directory: DataDirectory,
  user: ServerUser | null,
  password = randomBytes(24).toString('base64url'),
): Promise<void> {
  await writeOwnFile(directory.passwordFile, `${password}\n`, user)
}

/** Sets the stored password for the superuser, without an expiry. `client` is connected as that role, over the socket. */
export async function setPassword(
  directory: DataDirectory,
  client: pg.Client,
  superuser: string,
): Promise<void> {
  const password = storedPassword(directory) ?? ''
  const role = client.escapeIdentifier(superuser)
  // Up to PostgreSQL 13 the default is md5.
  await client.query("SET password_encryption = 'scram-sha-256'")
  await client.query(`ALTER ROLE ${role} PASSWORD ${client.escapeLiteral(password)}`)
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 AND rolvaliduntil <= now()',
    [superuser],
  )
  if (rowCount !== 0) await client.query(`ALTER ROLE ${role} VALID UNTIL 'infinity'`)
}
