import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { ClusterError } from '@howdah/data-directory'
import type { Server } from '../server.ts'
import { findScripts } from './find-scripts.ts'

/** What is done in a new cluster before it counts as one. */
export interface InitStep {
  /** The same for what has the same effect. */
  readonly key: string
  run(server: Server): Promise<void>
}

/** A script as it was when it was read. */
interface Script {
  readonly path: string
  readonly content: Buffer
}

/** Scripts for a new cluster, read now, so that what runs is what the key is of. Throws `ERR_CLUSTER_INIT_FAILED`. */
export async function readInitScripts(
  dataDir: string,
  patterns: string | readonly string[],
  database: string,
): Promise<InitStep> {
  const paths = await findScripts(dataDir, [patterns].flat())
  const scripts = await Promise.all(
    paths.map(async (path) => ({ path, content: await readFile(path) })),
  )
  const hash = createHash('sha256').update(database)
  for (const { path, content } of scripts)
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  return {
    key: hash.digest('hex'),
    async run(server) {
      for (const script of scripts) await runScript(dataDir, server, script)
    },
  }
}

async function runScript(
  dataDir: string,
  server: Server,
  { path, content }: Script,
): Promise<void> {
  try {
    if (path.endsWith('.sh')) {
      const { user, password } = server.address
      const names = { POSTGRES_USER: user, POSTGRES_DB: server.database }
      const env = { ...names, ...(password !== null && { POSTGRES_PASSWORD: password }) }
      await server.exec('sh', ['-e', path], { env })
    } else await runSql(server, path.endsWith('.gz') ? gunzipSync(content) : content)
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: unknown; message: string }
    const words = typeof stderr === 'string' && stderr !== '' ? stderr.trim() : message
    const why = `the init script ${path} failed, and no cluster was made in ${dataDir}: ${words}; correct it, and try again`
    throw new ClusterError('ERR_CLUSTER_INIT_FAILED', dataDir, why, { cause })
  }
}

/** By psql, which understands what pg_dump writes; where there is none, as one query of several statements. */
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
