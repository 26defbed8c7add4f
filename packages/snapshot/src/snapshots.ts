import type { DatabaseUser } from '@howdah/data-directory'
import type pg from 'pg'
import { type Administrator, besides, connected, inTransaction, postgres } from './administrator.ts'
import { copyDatabase } from './copying/copy-database.ts'
import { copyUnused } from './copying/copy-unused.ts'
import { giveProperties, type Properties, propertiesOf } from './copying/properties.ts'
import { whileUnused } from './copying/while-unused.ts'
import {
  databaseInUse,
  databaseMissing,
  invalidSnapshot,
  snapshotExists,
  snapshotMissing,
} from './errors.ts'
import { listSnapshots, savedProperties, type Snapshot } from './kept/list-snapshots.ts'
import { dropSlots, moveAway } from './kept/move-away.ts'
import { databaseOfSnapshot, isOfHowdah, nameOf, newId, toComment } from './kept/record.ts'
import { expire } from './kept/saved-databases.ts'
import { applicationOf, dropDatabase, dropUnfinished } from './kept/unfinished.ts'

/** Which database, and how to treat those who use it. */
export interface SnapshotOptions {
  /** `postgres` by default. */
  readonly database?: string | undefined
  /** End the sessions of others in the database, instead of throwing an error that names them. */
  readonly force?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** How to save a snapshot. */
export interface SaveOptions extends SnapshotOptions {
  /** Replace a snapshot that has the name already, as soon as the new one is complete. */
  readonly replace?: boolean | undefined
}

/** How to restore a snapshot. */
export interface RestoreOptions extends SnapshotOptions {
  /** The database to make or replace; the one that was saved by default. */
  readonly to?: string | undefined
  /** `false`: do not keep the present content for `howdah undo`. */
  readonly save?: boolean | undefined
  /** Called with messages for the user. */
  readonly onNotice?: ((message: string) => void) | undefined
}

/** A restored database. */
export interface Restored extends Snapshot {
  /** The name of the restored database. */
  readonly to: string
  /** Whether the former content is kept for `howdah undo`. */
  readonly saved: boolean
}

/**
 * The snapshots of a server's databases. Each is a database of its own, `howdah-snapshot-…`, to which nobody can connect.
 *
 * If a process is killed, nothing is lost: a database and its snapshots are as before or complete. The next call drops what
 * the killed one has left.
 */
export class Snapshots {
  readonly #server: Administrator

  constructor(server: Administrator) {
    this.#server = server
  }

  /**
   * Saves the content of a database under a name, together with its owner, settings, rights, comment and connection limit.
   *
   * Rejects with `ERR_CLUSTER_SNAPSHOT_EXISTS`, `ERR_CLUSTER_DATABASE_MISSING`, `ERR_CLUSTER_INVALID_SNAPSHOT`, and with
   * `ERR_CLUSTER_TEMPLATE_IN_USE` if somebody is connected to the database; its field `clients` says who.
   */
  async save(name: string, options: SaveOptions = {}): Promise<Snapshot> {
    const { database = postgres, replace = false, force = false, signal } = options
    const { dataDir } = this.#server
    this.#requireUsable(name, database)
    const place = databaseOfSnapshot(database, name)
    return await this.#making(async (client, unfinished) => {
      const properties = await propertiesOf(client, database)
      if (properties === null) throw databaseMissing(dataDir, database)
      if (!replace && (await propertiesOf(client, place)) !== null)
        throw snapshotExists(dataDir, database, name)
      const copy = { from: database, to: unfinished, allowConnections: false, signal }
      await copyUnused(this.#server, client, { ...copy, force })
      const { comment: words, allowConnections, isTemplate } = properties
      const record = {
        name,
        database,
        at: new Date(),
        comment: words,
        allowConnections,
        isTemplate,
      }
      const old = `${unfinished}-old`
      await inTransaction(client, async () => {
        if (replace && (await propertiesOf(client, place)) !== null)
          await rename(client, place, old)
        await giveProperties(client, unfinished, properties)
        await comment(client, unfinished, toComment(record))
        await rename(client, unfinished, place).catch((error: pg.DatabaseError) => {
          // duplicate_database: another process has saved one meanwhile.
          throw error.code === '42P04' ? snapshotExists(dataDir, database, name) : error
        })
      })
      if (replace) await dropDatabase(client, old)
      return await this.#find(client, name, database)
    })
  }

  /**
   * Replaces the content of a database by that of a snapshot, as soon as a copy of the snapshot is complete. The database
   * keeps its owner, settings, rights, comment and connection limit; a missing database gets those of the snapshot. What was
   * there is kept for 7 days, and `bringBackDatabase` brings it back.
   *
   * Rejects with `ERR_CLUSTER_SNAPSHOT_MISSING`, with `ERR_CLUSTER_DATABASE_NEEDED` if the database has subscriptions, and
   * with `ERR_CLUSTER_DATABASE_IN_USE` if somebody is connected to it; its field `clients` says who.
   */
  async restore(name: string, options: RestoreOptions = {}): Promise<Restored> {
    const { database = postgres, to = database, force = false, save = true, signal } = options
    this.#requireUsable(name, database)
    this.#requireUsable(name, to)
    return await this.#making(async (client, unfinished, reconnect) => {
      const found = await this.#find(client, name, database)
      const from = databaseOfSnapshot(database, name)
      const original = await savedProperties(client, from)
      // Their clients can go on until the copy is complete.
      if (!force) await this.#whileUnused(client, to, false, async () => undefined)
      const copy = { from, to: unfinished, allowConnections: false, signal }
      await copyDatabase(this.#server, client, copy)
      const swapping = to === postgres ? await reconnect(besides(to)) : client
      const old = `${unfinished}-old`
      const away = await this.#whileUnused(swapping, to, force, async () => {
        signal?.throwIfAborted()
        return await inTransaction(
          swapping,
          async () =>
            await this.#swap(swapping, {
              original,
              unfinished,
              to,
              old: save ? null : old,
            }),
        )
      })
      if (away !== null) {
        const slots = await dropSlots(swapping, away)
        if (slots.length > 0)
          options.onNotice?.(`dropped the replication slots of the database: ${slots.join(', ')}`)
      }
      if (save) await expire(swapping)
      else await dropDatabase(swapping, old)
      return { ...found, to, saved: save && away !== null }
    })
  }

  /** The snapshots, of one database or of all, by database and the newest first. */
  async list({ database }: { database?: string | undefined } = {}): Promise<Snapshot[]> {
    return await connected(this.#server, { database: postgres }, async (client) => {
      await dropUnfinished(client)
      const all = await listSnapshots(client)
      return all.filter((one) => database === undefined || one.database === database)
    })
  }

  /** Drops a snapshot. `'unmodified'`: there is none. */
  async drop(
    name: string,
    { database = postgres }: { database?: string | undefined } = {},
  ): Promise<'modified' | 'unmodified'> {
    return await connected(this.#server, { database: postgres }, async (client) => {
      await dropUnfinished(client)
      const place = databaseOfSnapshot(database, name)
      if ((await propertiesOf(client, place)) === null) return 'unmodified'
      await dropDatabase(client, place)
      return 'modified'
    })
  }

  /**
   * Puts the unfinished database into the place of another one, if that exists, and gives it its properties. Gives the name
   * of the other one now: `old`, or that of a saved database. If there is no other one, it gets the original's properties.
   */
  async #swap(
    client: pg.Client,
    {
      original,
      unfinished,
      to,
      old,
    }: {
      readonly original: Properties
      readonly unfinished: string
      readonly to: string
      readonly old: string | null
    },
  ): Promise<string | null> {
    const isThere = (await propertiesOf(client, to)) !== null
    const away = isThere
      ? await moveAway(client, this.#server.dataDir, to, 'snapshot restore')
      : null
    const properties = away?.properties ?? original
    await giveProperties(client, unfinished, properties)
    await comment(client, unfinished, properties.comment)
    await rename(client, unfinished, to)
    await client.query(
      `ALTER DATABASE ${client.escapeIdentifier(to)} WITH ALLOW_CONNECTIONS ${properties.allowConnections} IS_TEMPLATE ${properties.isTemplate}`,
    )
    if (away === null || old === null) return away?.name ?? null
    await rename(client, away.name, old)
    return old
  }

  async #whileUnused<Result>(
    client: pg.Client,
    database: string,
    force: boolean,
    action: () => Promise<Result>,
  ): Promise<Result> {
    const inUse = (users: readonly DatabaseUser[]) =>
      databaseInUse('ERR_CLUSTER_DATABASE_IN_USE', this.#server.dataDir, database, users)
    return await whileUnused(this.#server, client, { database, force, inUse }, action)
  }

  /**
   * Runs an action that makes a database, which has the given name until it is complete. As long as one of the action's
   * connections lasts, nobody else drops it. `reconnect` ends the connection after it has opened one to another database.
   */
  async #making<Result>(
    action: (
      client: pg.Client,
      unfinished: string,
      reconnect: (database: string) => Promise<pg.Client>,
    ) => Promise<Result>,
  ): Promise<Result> {
    const id = newId(new Date())
    const unfinished = nameOf('unfinished', id)
    const open = async (database: string) => {
      const client = await this.#server.connect({ database, application_name: applicationOf(id) })
      client.on('error', () => undefined)
      return client
    }
    let client = await open(postgres)
    const reconnect = async (database: string) => {
      const other = await open(database)
      await client.end()
      return (client = other)
    }
    try {
      await dropUnfinished(client)
      return await action(client, unfinished, reconnect)
    } catch (error) {
      // If this fails, the next call drops it.
      await dropDatabase(client, unfinished).catch(() => undefined)
      throw error
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async #find(client: pg.Client, name: string, database: string): Promise<Snapshot> {
    const all = await listSnapshots(client)
    const found = all.find((one) => one.name === name && one.database === database)
    if (found === undefined) throw snapshotMissing(this.#server.dataDir, database, name, all)
    return found
  }

  #requireUsable(name: string, database: string): void {
    const { dataDir } = this.#server
    // A lone surrogate could not be told from another one in UTF-8.
    if (name === '' || /[\0\p{Cs}]/u.test(name))
      throw invalidSnapshot(
        dataDir,
        `${JSON.stringify(name)} cannot be the name of a snapshot; choose another one`,
      )
    if (isOfHowdah(database) || database === 'template0')
      throw invalidSnapshot(
        dataDir,
        `the database "${database}" has no snapshots; name one of your own databases`,
      )
  }
}

async function rename(client: pg.Client, from: string, to: string): Promise<void> {
  const [old, name] = [client.escapeIdentifier(from), client.escapeIdentifier(to)]
  await client.query(`ALTER DATABASE ${old} RENAME TO ${name}`)
}

async function comment(client: pg.Client, database: string, words: string | null): Promise<void> {
  const text = words === null ? 'NULL' : client.escapeLiteral(words)
  await client.query(`COMMENT ON DATABASE ${client.escapeIdentifier(database)} IS ${text}`)
}
