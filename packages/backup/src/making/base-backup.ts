import { join } from 'node:path'
import { syncDirectory } from '@howdah/durable'
import type pg from 'pg'
import { backupUnsupported } from '../errors.ts'
import { digestFile } from '../directory/digest-file.ts'
import { cloneTree } from '../tree/clone-tree.ts'
import type { CopyOptions } from '../tree/copy-files.ts'
import { type CopiedFile, copyTree } from '../tree/copy-tree.ts'
import { listTree } from '../tree/list-tree.ts'
import { sourceOwner } from '../tree/source-owner.ts'
import { treatOfBaseBackup, treatOfClone } from './not-copied.ts'
import type { ProgressReport } from '../progress-report.ts'
import { open } from '@howdah/data-directory'

/** The facts about a base backup. */
export interface BaseBackup {
  readonly startLsn: string
  readonly stopLsn: string
  readonly startWalFile: string
  readonly timeline: number
  readonly startedAt: Date
  readonly endedAt: Date
  /** See `BackupRecord`. */
  readonly snapshot: string
  /** The copied files; empty without checksums. */
  readonly files: readonly CopiedFile[]
}

/** How to make a base backup. */
export interface BaseBackupOptions {
  readonly dataDir: string
  /** The empty directory for the backup. */
  readonly to: string
  readonly major: number
  /** The owner of the copy. */
  readonly owner?: CopyOptions['owner'] | undefined
  /**
   * Whether to give the checksums of the copied files. If not, it is a clone, which shares blocks if the file system
   * supports that.
   */
  readonly checksums: boolean
  /** Sync all files, so that the backup survives a power failure. */
  readonly durable: boolean
  readonly progress: ProgressReport
  readonly signal?: AbortSignal | undefined
  /** Called just before the files are copied, so that the server can answer queries during the copy. The end waits for them. */
  readonly onCopying?: (() => Promise<unknown>) | undefined
}

/**
 * Copies the data directory of a running server, as a base backup, over one connection.
 *
 * The copy has no WAL, and can only be used with all WAL from `startLsn` to `stopLsn`. It is made by the low-level API, which
 * every version and every runtime has; see "Making a Base Backup Using the Low Level API" in PostgreSQL's manual. If the
 * connection ends early, the server ends the backup.
 */
export async function takeBaseBackup(
  client: pg.Client,
  options: BaseBackupOptions,
): Promise<BaseBackup> {
  const { dataDir, to, major, durable, owner = null, progress, signal } = options
  await refuseUnsupported(client, dataDir)
  await client.query('SET statement_timeout = 0')
  if (major >= 14) await client.query('SET idle_session_timeout = 0')
  const [start, stop] = major >= 15 ? named : beforeNamed
  const { rows } = await client.query<{ lsn: string; file: string; at: Date }>(start)
  const [begun] = rows
  if (begun === undefined) throw new Error('the server has not said where the backup starts')
  const tree = await listTree(dataDir, options.checksums ? treatOfBaseBackup : treatOfClone)
  const meanwhile = options.onCopying?.()
  // If the copy fails, nobody waits for it.
  meanwhile?.catch(() => undefined)
  progress.begin(
    'copying',
    tree.files.reduce((sum, { size }) => sum + size, 0),
  )
  const copying: CopyOptions = {
    owner,
    of: sourceOwner(dataDir),
    durable,
    // Copied last, because it says where recovery begins if the label is lost.
    last: 'global/pg_control',
    signal,
    onBytes: (bytes) => progress.add(bytes),
  }
  const files: CopiedFile[] = []
  if (options.checksums) files.push(...(await copyTree(dataDir, to, tree, copying)))
  else await cloneTree(dataDir, to, tree, copying)
  await meanwhile
  const { rows: ends } = await client.query<{ lsn: string; label: string; spaces: string }>(stop)
  const [ended] = ends
  if (ended === undefined) throw new Error('the server has not said where the backup ends')
  // Asked after the end: a transaction that still runs now is in WAL after the backup.
  const { rows: moments } = await client.query<{ snapshot: string; at: Date }>(
    `SELECT pg_catalog.txid_current_snapshot()::text AS snapshot, pg_catalog.clock_timestamp() AS at`,
  )
  const [moment] = moments
  if (moment === undefined) throw new Error('the server has not said what time it is')
  const labels = [{ name: 'backup_label', text: ended.label }]
  if (ended.spaces !== '') labels.push({ name: 'tablespace_map', text: ended.spaces })
  for (const { name, text } of labels) {
    await writeFile(join(to, name), text, copying)
    if (options.checksums) files.push({ path: name, ...(await digestFile(join(to, name))) })
  }
  if (durable) await syncDirectory(to)
  return {
    startLsn: begun.lsn,
    stopLsn: ended.lsn,
    startWalFile: begun.file,
    timeline: Number.parseInt(begun.file.slice(0, 8), 16),
    startedAt: begun.at,
    endedAt: moment.at,
    snapshot: moment.snapshot,
    files,
  }
}

const startOf = (call: string) =>
  `SELECT lsn::text AS lsn, pg_catalog.pg_walfile_name(lsn) AS file, pg_catalog.clock_timestamp() AS at
     FROM (SELECT ${call} AS lsn) AS start`
const stopOf = (call: string) =>
  `SELECT lsn::text AS lsn, labelfile AS label, coalesce(spcmapfile, '') AS spaces FROM ${call}`

/**
 * The names of the functions since 15 and before. They do not wait for the archiving; a caller that needs it waits itself.
 */
const named = [
  startOf(`pg_catalog.pg_backup_start('howdah', true)`),
  stopOf('pg_catalog.pg_backup_stop(false)'),
] as const
const beforeNamed = [
  startOf(`pg_catalog.pg_start_backup('howdah', true, false)`),
  stopOf('pg_catalog.pg_stop_backup(false, false)'),
] as const

async function refuseUnsupported(client: pg.Client, dataDir: string): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; spaces: string[] }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby,
            ARRAY(SELECT spcname::text FROM pg_catalog.pg_tablespace
                   WHERE pg_catalog.pg_tablespace_location(oid) <> '') AS spaces`,
  )
  const { standby = false, spaces = [] } = rows[0] ?? {}
  if (standby) {
    throw backupUnsupported(
      dataDir,
      'it is a standby, or has not ended its recovery; take its primary',
    )
  }
  if (spaces.length > 0) {
    const why = `it has tablespaces outside of its data directory (${spaces.join(', ')}); use pg_basebackup, which can map them`
    throw backupUnsupported(dataDir, why)
  }
}

async function writeFile(
  path: string,
  text: string,
  { owner, durable }: CopyOptions,
): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  // The text of the server, byte by byte.
  await file.writeFile(text)
  if (owner) await file.chown(owner.uid, owner.gid)
  if (durable) await file.sync()
}
