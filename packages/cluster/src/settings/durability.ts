import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errno, syncDirectory } from '@howdah/durable'
import type pg from 'pg'
import { chooseServerUser, type DataDirectory, open, syncToDisk } from '@howdah/data-directory'
import { notSafe } from '../errors.ts'
import { defaultPatience, type PatienceOptions } from '../running/reload.ts'
import type { Administered } from './administered.ts'

/**
 * Whether what the server has written is on disk, across the times at which it does not see to that.
 *
 * With fsync off, what PostgreSQL calls written may be in the kernel's memory alone, and turning fsync on does not change
 * that. A file in the data directory remembers it until everything has been synced.
 */
export class Durability {
  readonly #directory: DataDirectory
  readonly #server: Administered

  constructor(directory: DataDirectory, server: Administered) {
    this.#directory = directory
    this.#server = server
  }

  /** Whether the server, or one before it, may have written what is not on disk, although it is careful now. */
  async isOwed(): Promise<boolean> {
    return await this.#directory.has(this.#directory.unsynced)
  }

  /**
   * Does something that may turn fsync or full_page_writes off or on, and has been applied when it resolves. If they are on
   * then, and were not before, everything is brought to disk.
   *
   * Throws `ERR_CLUSTER_NOT_SAFE` when that is not possible yet; it is owed then until the next change succeeds.
   */
  async around(
    client: pg.Client,
    options: PatienceOptions,
    action: () => Promise<void>,
  ): Promise<void> {
    if (await isCareless(client)) await this.#owe()
    await action()
    if (await isCareless(client)) await this.#owe()
    else if (await this.isOwed()) await this.#settle(options)
  }

  async #owe(): Promise<void> {
    try {
      await using file = await open(this.#directory.unsynced, 'wx', 0o600)
      const user = await chooseServerUser(this.#directory.path)
      if (user !== null) await file.chown(user.uid, user.gid)
      await file.sync()
    } catch (error) {
      if (errno(error) === 'EEXIST') return
      throw error
    }
    await syncDirectory(this.#directory.path)
  }

  /**
   * Brings everything to disk.
   *
   * See "fsync" in PostgreSQL's manual, "Write Ahead Log": after it is turned on, all that is in the kernel's buffers has
   * to be forced out, by `initdb --sync-only`, also while the server runs. A checkpoint comes first, so that each page
   * that is changed from now on is logged in full.
   */
  async #settle({ timeout = defaultPatience, signal }: PatienceOptions): Promise<void> {
    const deadline = performance.now() + timeout
    // The postmaster answers a new connection only when it has told all of its processes to read their configuration.
    await this.#server.withAdministrator(async (client) => {
      await client.query('CHECKPOINT')
      // A process reads its configuration between two statements, so one that still runs may have fsync off.
      const since = await now(client)
      for (;;) {
        signal?.throwIfAborted()
        const old = await activeSince(client, since)
        if (old.length === 0) break
        if (performance.now() > deadline) {
          const who = old.map(String).join(', ')
          const why = `statements that began with fsync off still run (pid ${who}); end them, and try again`
          throw notSafe(this.#directory.path, why)
        }
        await sleep(10, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      }
    })
    const { path } = this.#directory
    const user = await chooseServerUser(path)
    const { succeeded, stderr } = await syncToDisk(path, this.#server.runtime, user, signal)
    if (!succeeded) {
      throw notSafe(path, `initdb --sync-only says: ${stderr.trim()}; try again`)
    }
    await rm(this.#directory.unsynced, { force: true })
  }
}

/** Whether the server leaves it to the kernel when, or in which pieces, its files get to disk. */
async function isCareless(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ careless: boolean }>(
    `SELECT current_setting('fsync') = 'off' OR current_setting('full_page_writes') = 'off' AS careless`,
  )
  return rows[0]?.careless === true
}

async function now(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ now: string }>('SELECT clock_timestamp()::text AS now')
  return rows[0]?.now ?? ''
}

/** The processes that are busy with what they began before. */
async function activeSince(client: pg.Client, since: string): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid FROM pg_catalog.pg_stat_activity
      WHERE state IN ('active', 'fastpath function call') AND pid <> pg_backend_pid()
        AND query_start < $1::timestamptz`,
    [since],
  )
  return rows.map(({ pid }) => pid)
}
