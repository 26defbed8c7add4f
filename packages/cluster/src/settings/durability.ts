import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { errno, syncDirectory } from '@howdah/durable'
import type pg from 'pg'
import { chooseServerUser, type DataDirectory, open, syncToDisk } from '@howdah/data-directory'
import { notSafe } from '../errors.ts'
import { defaultPatience, type PatienceOptions } from '../running/reload.ts'
import type { Administered } from './administered.ts'

/**
 * Remembers whether everything that the server has written is on disk, across times in which it does not care about that.
 *
 * With fsync off, written data may be only in the kernel's memory, and turning fsync on does not change this. A file in the
 * data directory remembers it until everything has been synced.
 */
export class Durability {
  readonly #directory: DataDirectory
  readonly #server: Administered

  constructor(directory: DataDirectory, server: Administered) {
    this.#directory = directory
    this.#server = server
  }

  /** Whether this or an earlier server may have written data that is not on disk yet. */
  async isOwed(): Promise<boolean> {
    return await this.#directory.has(this.#directory.unsynced)
  }

  /**
   * Runs a change that may turn fsync or full_page_writes off or on, and that is applied when its promise resolves. If they
   * were off before and are on then, everything is written to disk.
   *
   * Rejects with `ERR_CLUSTER_NOT_SAFE` if this is not possible yet. Then it remains owed until a later change succeeds.
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
   * Writes everything to disk.
   *
   * See "fsync" in PostgreSQL's manual, "Write Ahead Log": after it is turned on, the kernel's buffers have to be forced out,
   * by `initdb --sync-only`, even while the server runs. A checkpoint comes first, so that each page that changes from now on
   * is logged in full.
   */
  async #settle({ timeout = defaultPatience, signal }: PatienceOptions): Promise<void> {
    const deadline = performance.now() + timeout
    // The postmaster answers a new connection only after it has told all its processes to read their configuration.
    await this.#server.withAdministrator(async (client) => {
      await client.query('CHECKPOINT')
      // A process reads its configuration between two statements, so a statement that still runs may have fsync off.
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

/** Whether the kernel decides when, or in which pieces, the server's files get to disk. */
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

/** The processes with statements that began before. */
async function activeSince(client: pg.Client, since: string): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid FROM pg_catalog.pg_stat_activity
      WHERE state IN ('active', 'fastpath function call') AND pid <> pg_backend_pid()
        AND query_start < $1::timestamptz`,
    [since],
  )
  return rows.map(({ pid }) => pid)
}
