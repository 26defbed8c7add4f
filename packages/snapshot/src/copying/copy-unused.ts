import type pg from 'pg'
import type { Administrator } from '../administrator.ts'
import { databaseInUse } from '../errors.ts'
import { type Copy, copyDatabase } from './copy-database.ts'
import { whileUnused } from './while-unused.ts'

/**
 * Copies a database like `CREATE DATABASE … TEMPLATE`, as soon as nobody else is connected to it.
 *
 * Throws `ERR_CLUSTER_TEMPLATE_IN_USE`, which names the clients, unless `force` is set, which ends their sessions.
 */
export async function copyUnused(
  server: Administrator,
  client: pg.Client,
  { force, ...copy }: Copy & { readonly force: boolean },
): Promise<void> {
  const { dataDir } = server
  const { from: database } = copy
  await whileUnused(
    server,
    client,
    {
      database,
      force,
      inUse: (users) => databaseInUse('ERR_CLUSTER_TEMPLATE_IN_USE', dataDir, database, users),
    },
    async () => await copyDatabase(server, client, copy),
  )
}
