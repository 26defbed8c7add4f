import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { cloneCluster } from '@howdah/backup'
import { Cluster, postgres, type Session, temporaryDataDir } from '@howdah/cluster'
import { keepBase } from '@howdah/cluster/inside'
import { onPath } from '@howdah/runtime'
import type pg from 'pg'
import { dropByForce, dropTemplate } from '../server/database-statements.ts'
import { readLabel } from '../server/label.ts'
import { readName } from '../server/names.ts'
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
    await keepBase(cluster, base, async () => {
      // A killed process may have left it.
      await copy.destroy({ force: true })
      await cloneCluster(cluster, { to: copy.dataDir })
      await leaveTemplates(copy)
      return copy
    })
  } finally {
    await session.leave()
    await copy.destroy({ force: true })
  }
}

/** The path of a copy. It depends on `purpose` alone, so that the next process with the same purpose removes what is left. */
async function pathOf(purpose: string): Promise<string> {
  const hash = createHash('sha256').update(purpose).digest('hex')
  return join(dirname(await temporaryDataDir()), `copy-${hash.slice(0, 12)}`)
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

/** Drops the other databases of tests from a copy, and resets its settings. */
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
      for (const row of rows) if (!isWanted(row)) await drop(client, row)
      await client.query('ALTER SYSTEM RESET ALL')
    } finally {
      await client.end()
    }
  } finally {
    await session.leave()
  }
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
