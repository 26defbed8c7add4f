import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import { takeBaseBackup } from '../making/base-backup.ts'
import { cloneTree } from '../tree/clone-tree.ts'
import { sourceOwner } from '../tree/source-owner.ts'
import { backupUnsupported } from '../errors.ts'
import { neededSettings } from '../making/needed-settings.ts'
import { segmentSizeOf, walFilesOf } from '../making/wal-files.ts'
import type { DataDirectory } from '@howdah/data-directory'
import type { Copied } from './copied.ts'
import type { CopyingOptions } from './copy-stopped.ts'
import { ofRecovery } from './of-recovery.ts'

/**
 * Copies a cluster while its server goes on running: a base backup, and the WAL that its recovery needs. It uses one
 * connection, which the caller then ends; that also ends the slot that holds the WAL.
 *
 * Throws `ERR_CLUSTER_BACKUP_UNSUPPORTED` for a standby, for tablespaces outside of the data directory, for a server that
 * logs too little (`wal_level` is `minimal`), and if the server has removed WAL that the copy needs.
 */
export async function copyRunning(
  client: pg.Client,
  directory: DataDirectory,
  { to, owner, progress, signal, major }: CopyingOptions & { readonly major: number },
): Promise<Pick<Copied, 'settings' | 'needsCare'>> {
  await refuseMinimal(client, directory)
  await holdWal(client)
  let facts: Promise<Facts> | null = null
  const base = await takeBaseBackup(client, {
    dataDir: directory.path,
    to,
    major,
    owner,
    checksums: false,
    durable: false,
    progress,
    signal,
    async onCopying() {
      facts = factsOf(client)
      return await facts
    },
  })
  for (const name of ofRecovery) await rm(join(to, name), { force: true })
  const found = await (facts ?? factsOf(client))
  const size = found.segmentSize
  const wal = directory.file('pg_wal')
  const names = walFilesOf(base, size)
  // The server reads the histories, too. They say from which timeline another one branched.
  const histories = (await readdir(wal)).filter((name) => /^[\dA-F]{8}\.history$/.test(name))
  const files = [...names, ...histories].map((path) => ({ path, size }))
  await cloneTree(
    wal,
    join(to, 'pg_wal'),
    { directories: [], files },
    { owner, of: sourceOwner(directory.path), durable: false, signal },
  )
  for (const name of names) await requireWal(directory, join(to, 'pg_wal', name), size)
  // Asked after the copy, because a subscription that was made meanwhile may be in it.
  return { settings: found.settings, needsCare: await needsCare(client) }
}

/** The facts about a server that its copy needs. */
interface Facts {
  /** The size of a WAL file in bytes. */
  readonly segmentSize: number
  /** Settings that the recovery of the copy needs. */
  readonly settings: Record<string, string>
}

async function factsOf(client: pg.Client): Promise<Facts> {
  const segmentSize = await segmentSizeOf(client)
  return { segmentSize, settings: await neededSettings(client) }
}

/** Asks whether the copy has subscriptions or needs settings; settings of the command line are not in the copied files. */
async function needsCare(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ care: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription)
         OR EXISTS (SELECT FROM pg_catalog.pg_settings
                     WHERE source = 'command line'
                       AND name IN ('max_prepared_transactions', 'shared_preload_libraries')) AS care`,
  )
  return rows[0]?.care !== false
}

async function refuseMinimal(client: pg.Client, directory: DataDirectory): Promise<void> {
  const { rows } = await client.query<{ level: string }>(
    `SELECT current_setting('wal_level') AS level`,
  )
  if (rows[0]?.level !== 'minimal') return
  const why =
    'its server runs with wal_level minimal, and so cannot be copied while it runs; ' +
    'stop it and clone it then, or set wal_level to replica and restart it'
  throw backupUnsupported(directory.path, why)
}

/**
 * Makes the server keep its WAL from now on until the connection ends. Without a free slot we rely on the WAL that the server
 * keeps anyway, which is usually enough.
 */
async function holdWal(client: pg.Client): Promise<void> {
  try {
    await client.query('SELECT pg_catalog.pg_create_physical_replication_slot($1, true, true)', [
      `howdah_clone_${process.pid}_${randomBytes(4).toString('hex')}`,
    ])
  } catch (error) {
    const { code = '' } = error as pg.DatabaseError
    // All slots are taken, or max_replication_slots is 0.
    if (code !== '53400' && code !== '55000') throw error
  }
}

async function requireWal(directory: DataDirectory, path: string, size: number): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.size === size) return
  const why =
    'its server has removed WAL that the copy needs; ' +
    'leave it a free replication slot (max_replication_slots), and clone it again'
  throw backupUnsupported(directory.path, why)
}
