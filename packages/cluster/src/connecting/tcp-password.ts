import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'

/** The password that is kept beside the cluster, or `null`. */
export function keptPassword(directory: DataDirectory): string | null {
  return readIfThere(directory.passwordFile)?.replace(/\r?\n$/, '') ?? null
}

/**
 * Keeps a password for TCP connections beside the cluster, mode 0600: a generated one unless told. The caller holds the
 * change lock.
 */
export async function keepPassword(
  directory: DataDirectory,
  user: ServerUser | null,
  password = randomBytes(24).toString('base64url'),
): Promise<void> {
  await writeOwnFile(directory.passwordFile, `${password}\n`, user)
}

/** Gives the superuser the password that is kept, and has it last. `client` is connected as that role, over the socket. */
export async function setPassword(
  directory: DataDirectory,
  client: pg.Client,
  superuser: string,
): Promise<void> {
  const password = keptPassword(directory) ?? ''
  const role = client.escapeIdentifier(superuser)
  // Up to 13 the default is md5.
  await client.query("SET password_encryption = 'scram-sha-256'")
  await client.query(`ALTER ROLE ${role} PASSWORD ${client.escapeLiteral(password)}`)
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 AND rolvaliduntil <= now()',
    [superuser],
  )
  if (rowCount !== 0) await client.query(`ALTER ROLE ${role} VALID UNTIL 'infinity'`)
}
