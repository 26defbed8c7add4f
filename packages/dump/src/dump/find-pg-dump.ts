import { execFileSync } from 'node:child_process'
import { findProgram } from '@howdah/durable'
import { Client } from 'pg'
import { majorOf } from '../server-major.ts'
import { clientOptionsOf, programAccess, type Source } from '../source.ts'

/**
 * The path of the first pg_dump on the PATH of the server's programs that can dump this server: it must have the same or a newer major.
 * `null` if there is none.
 */
export async function findPgDump(source: Source, database?: string): Promise<string | null> {
  const client = new Client(clientOptionsOf(source, database))
  await client.connect()
  try {
    const major = await majorOf(client)
    const { env } = programAccess(source)
    const accepts = (path: string) => (versionOf(path, env) ?? 0) >= major
    return findProgram('pg_dump', env['PATH'], { accepts })
  } finally {
    await client.end()
  }
}

/** The major version of a pg_dump; `null` if it cannot be run, or is another program. */
function versionOf(path: string, env: Record<string, string>): number | null {
  try {
    const words = execFileSync(path, ['--version'], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 10_000,
    })
    const [, major] = /^pg_dump \(PostgreSQL\) (\d+)/.exec(words) ?? []
    return major === undefined ? null : Number(major)
  } catch {
    return null
  }
}
