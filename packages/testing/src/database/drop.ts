import type pg from 'pg'
import type { Listed } from '../server/administrator.ts'
import { dropByForce, dropTemplate } from '../server/database-statements.ts'
import type { ReachableServer } from '../server/test-server.ts'
import { unblock } from './unblock.ts'

/** Drops a database or template that this process owns, whatever is left in it. */
export async function drop(
  client: pg.Client,
  server: ReachableServer,
  { name, kind }: Pick<Listed, 'name' | 'kind'>,
  version: number,
): Promise<void> {
  await unblock(client, server, name)
  await (kind === 'template' ? dropTemplate : dropByForce)(client, name, version)
}
