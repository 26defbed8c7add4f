import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterError, DatabaseUser } from '@howdah/data-directory'
import type pg from 'pg'
import { type Administrator, besides, connected } from '../administrator.ts'
import { backendOf, endSessions, usersOf } from './database-users.ts'

/** How long leaving clients may take, in ms, and clients that are ended. */
const patience = { leaving: 500, ended: 10_000 }

/** How long to end clients that connect at the last moment, in ms. After that, PostgreSQL lets nobody connect. */
const afterwards = 1000

/** Which database nobody may use, and what to do if somebody does. */
export interface Unused {
  readonly database: string
  /** End the sessions of others. */
  readonly force: boolean
  /** Makes the error about the users that are left. */
  readonly inUse: (users: readonly DatabaseUser[]) => ClusterError
}

/**
 * Runs a statement for which nobody else may be connected to a database: a copy or a change of its name.
 *
 * Waits a moment for clients that are leaving. PostgreSQL itself waits for 5 s, and its error 55006 does not name them. From
 * the beginning of its wait it lets nobody connect to the database, so with `force` no client that connects again can delay
 * it for long.
 */
export async function whileUnused<Result>(
  server: Administrator,
  client: pg.Client,
  unused: Unused,
  action: () => Promise<Result>,
): Promise<Result> {
  const { database, force, inUse } = unused
  const own = backendOf(client)
  if (force) await endSessions(client, database, own)
  await untilUnused(client, unused, force ? patience.ended : patience.leaving)
  const ending = force ? keepEnding(server, database, own) : null
  try {
    return await action()
  } catch (error) {
    // object_in_use: somebody has connected meanwhile.
    if ((error as pg.DatabaseError).code !== '55006') throw error
    const users = await usersOf(client, database)
    throw users.length === 0 ? error : inUse(users)
  } finally {
    await ending?.stop()
  }
}

async function untilUnused(
  client: pg.Client,
  { database, force, inUse }: Unused,
  timeout: number,
): Promise<void> {
  const deadline = performance.now() + timeout
  for (;;) {
    const users = await usersOf(client, database)
    if (users.length === 0) return
    const isHopeless = users.some(({ pid }) => pid === null)
    if (isHopeless || performance.now() > deadline) throw inUse(users)
    await sleep(10)
    if (force) await endSessions(client, database, backendOf(client))
  }
}

/** Ends the sessions of clients that connect at the last moment, on a connection of its own. */
function keepEnding(
  server: Administrator,
  database: string,
  except: number,
): { readonly stop: () => Promise<void> } {
  const over = new AbortController()
  const end = async () => {
    const deadline = performance.now() + afterwards
    await connected(server, { database: besides(database) }, async (client) => {
      while (!over.signal.aborted && performance.now() < deadline) {
        await endSessions(client, database, except)
        await sleep(20)
      }
    })
  }
  // Without this help PostgreSQL waits for 5 s, and then says why.
  const done = end().catch(() => undefined)
  return {
    stop: async () => {
      over.abort()
      await done
    },
  }
}
