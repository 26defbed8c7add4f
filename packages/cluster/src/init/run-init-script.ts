import { gunzipSync } from 'node:zlib'
import { ClusterError } from '@howdah/data-directory'
import type { Server } from '../server.ts'

/** A script for a new cluster: SQL, packed SQL or a shell's, by the end of its name. */
export interface InitScript {
  /** How messages call it. */
  readonly name: string
  readonly path: string
  /** What it was when it was read. */
  readonly content: Buffer
}

/**
 * Runs a script in the database of a server, as Docker's image does. A shell script has `POSTGRES_USER`, `POSTGRES_DB` and, if
 * there is one, `POSTGRES_PASSWORD`, besides `env`. Throws `ERR_CLUSTER_INIT_FAILED`.
 */
export async function runInitScript(
  server: Server,
  { name, path, content }: InitScript,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { dataDir, database, address } = server
  try {
    if (name.endsWith('.sh')) {
      const { user, password } = address
      const names = { POSTGRES_USER: user, POSTGRES_DB: database }
      const secret = password === null ? {} : { POSTGRES_PASSWORD: password }
      await server.exec('sh', ['-e', path], { env: { ...env, ...names, ...secret } })
    } else await runSql(server, name.endsWith('.gz') ? gunzipSync(content) : content)
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: unknown; message: string }
    const words = typeof stderr === 'string' && stderr !== '' ? stderr.trim() : message
    const why = `the init script ${name} failed, and no cluster was made in ${dataDir}: ${words}; correct it, and try again`
    throw new ClusterError('ERR_CLUSTER_INIT_FAILED', dataDir, why, { cause })
  }
}

/** By psql, which understands what pg_dump writes. Without psql, as one query of several statements. */
async function runSql(server: Server, sql: Buffer): Promise<void> {
  try {
    const quiet = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--output=/dev/null']
    await server.exec('psql', [...quiet, '--file=-'], { input: sql })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const client = await server.connect()
    try {
      await client.query(sql.toString())
    } finally {
      await client.end()
    }
  }
}
