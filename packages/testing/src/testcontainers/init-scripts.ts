import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Session } from '@howdah/cluster'
import { Client } from 'pg'
import { TestingError } from '../errors.ts'
import type { Login } from './as-bootstrap-role.ts'

/**
 * Runs scripts as Docker's image does: in the order of their names, `.sql`, `.sql.gz` and `.sh`, in the database that was made, up to
 * the first that fails.
 */
export async function runInitScripts(
  session: Session,
  { username, password, database }: Login,
  scripts: readonly { readonly name: string; readonly path: string }[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new Client({ ...session.clientOptions(database), user: username, password })
  await client.connect()
  try {
    for (const { name, path } of scripts.toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    )) {
      try {
        if (name.endsWith('.sql')) await client.query(await readFile(path, 'utf8'))
        else if (name.endsWith('.sql.gz'))
          await client.query((await promisify(gunzip)(await readFile(path))).toString())
        else if (name.endsWith('.sh')) {
          const env = {
            ...environment,
            POSTGRES_USER: username,
            POSTGRES_PASSWORD: password,
            POSTGRES_DB: database,
            PGUSER: username,
            PGPASSWORD: password,
          }
          await session.exec('sh', [path], { database, env })
        }
      } catch (cause) {
        throw new TestingError(
          'ERR_TESTING_MIGRATE',
          `the script ${name} failed: ${(cause as Error).message}`,
          { cause },
        )
      }
    }
  } finally {
    await client.end()
  }
}
