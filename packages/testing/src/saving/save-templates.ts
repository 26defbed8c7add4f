import { dirname, join } from 'node:path'
import { cloneCluster } from '@howdah/backup'
import { Cluster, postgres, type Session, temporaryDataDir } from '@howdah/cluster'
import { keepBase } from '@howdah/cluster/inside'
import { onPath } from '@howdah/runtime'
import type pg from 'pg'
import { dropByForce, dropTemplate } from '../server/database-statements.ts'
import { readLabel } from '../server/label.ts'
import { readName } from '../server/names.ts'
import { hashOf } from '../template/hash-of.ts'
import type { Saving } from './save-in-background.ts'

/** The size of the largest cluster that is copied, in bytes, because the copy may lie in memory. */
const most = 1024 ** 3

/**
 * Saves a copy of a running server with its lasting templates and no other databases of tests, so that later servers begin
 * with them. The server and its users go on.
 */
export async function saveTemplates({ dataDir, bindir, base, linger }: Saving): Promise<void> {
  const strategy = onPath([bindir])
  const cluster = new Cluster(dataDir, { strategy })
  const copy = new Cluster(await pathOf(`${base} ${bindir}`), { strategy })
  const session = await cluster.run({ ifExists: true, linger })
  try {
    if ((await sizeOf(session)) > most) return
    await keepBase(cluster, base, copy, async () => {
      await cloneCluster(cluster, { to: copy.dataDir })
      await leaveTemplates(copy)
    })
  } finally {
    await session.leave()
  }
}

/** The path of a copy. It depends on `purpose` alone, so that the next process with the same purpose removes what is left. */
async function pathOf(purpose: string): Promise<string> {
  return join(dirname(await temporaryDataDir()), `copy-${hashOf(purpose).slice(0, 12)}`)
}

/** The size of all databases of a server, in bytes. */
async function sizeOf(session: Session): Promise<number> {
  const client = await session.connect(postgres)
  try {
    const { rows } = await client.query<{ size: string }>(
      'SELECT sum(pg_catalog.pg_database_size(oid)) AS size FROM pg_catalog.pg_database',
    )
    return Number(rows[0]?.size)
  } finally {
    await client.end()
  }
}

/**
 * Drops the other databases of tests from a copy, and resets its settings. Throws if it has roles or tablespaces that somebody
 * has made: on later servers, a migration that makes them would find them there.
 */
async function leaveTemplates(copy: Cluster): Promise<void> {
  const session = await copy.run({ ifExists: true })
  try {
    const client = await session.connect(postgres)
    try {
      const { rows } = await client.query<Row>(
        `SELECT datname AS name, datallowconn AS open, pg_catalog.shobj_description(oid, 'pg_database') AS comment,
                current_setting('server_version_num')::int AS version
           FROM pg_catalog.pg_database`,
      )
      await refuseShared(client)
      for (const row of rows) if (!isWanted(row)) await drop(client, row)
      await client.query('ALTER SYSTEM RESET ALL')
    } finally {
      await client.end()
    }
  } finally {
    await session.leave()
  }
}

/** Objects with such OIDs are not the server's own: FirstNormalObjectId in PostgreSQL's `transam.h`. */
const firstNormalId = 16_384

async function refuseShared(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_roles WHERE oid >= ${firstNormalId}
      UNION ALL SELECT FROM pg_catalog.pg_tablespace WHERE oid >= ${firstNormalId}`,
  )
  if (rowCount !== 0) throw new Error('somebody has made roles or tablespaces')
}

interface Row {
  readonly name: string
  /** Whether it allows connections. A finished template does not. */
  readonly open: boolean
  readonly comment: string | null
  readonly version: number
}

function isWanted({ name, open, comment }: Row): boolean {
  if (readName(name) === null) return true
  const { kind, isLasting } = readLabel(comment) ?? {}
  return kind === 'template' && isLasting === true && !open
}

async function drop(client: pg.Client, { name, version }: Row): Promise<void> {
  const dropping = readName(name)?.kind === 'template' ? dropTemplate : dropByForce
  await dropping(client, name, version)
}
