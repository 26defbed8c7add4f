import { gunzipSync } from 'node:zlib'
import { ClusterError } from '@howdah/data-directory'
import type { Server } from '../server.ts'

/** A script for a new cluster. The suffix of its name says whether it is SQL, compressed SQL or a shell script. */
export interface InitScript {
  /** Its name in messages. */
  readonly name: string
  readonly path: string
  /** Its content when it was read. */
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

/** Runs SQL by psql, which understands the output of pg_dump. Without psql it is sent as one query of several statements. */
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
