import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { DataDirectory } from './data-directory.ts'
import { writeOwnFile } from './own-file.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Makes sure that the superuser has a password for TCP connections, generated and kept beside the cluster, mode 0600.
 *
 * `client` is connected over the socket. The caller holds the change lock.
 */
export async function ensurePassword(
  directory: DataDirectory,
  user: ServerUser | null,
  client: pg.Client,
  superuser: string,
): Promise<void> {
  if (await directory.has(directory.passwordFile)) return
  const password = randomBytes(24).toString('base64url')
  // Up to 13 the default is md5.
  await client.query("SET password_encryption = 'scram-sha-256'")
  await client.query(
    `ALTER ROLE ${client.escapeIdentifier(superuser)} PASSWORD ${client.escapeLiteral(password)}`,
  )
  await writeOwnFile(directory.passwordFile, `${password}\n`, user)
}
