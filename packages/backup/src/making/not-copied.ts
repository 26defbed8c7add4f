import { basename } from 'node:path'
import type { Treatment } from '../directory/copy-tree.ts'

/**
 * What of a running server's data directory goes into a base backup.
 *
 * Source: "Making a Base Backup Using the Low Level API" in PostgreSQL's manual, and `basebackup.c`.
 */
export function treatOfBaseBackup(path: string): Treatment {
  if (path === 'pg_wal' || emptied.has(path)) return 'empty'
  return isLeftOut(path) ? 'skip' : 'copy'
}

/** A server makes these anew when it starts, or they are of no use to another server. */
/**
 * What of a data directory goes into a clone: without the maps of free space and of visibility that the system catalogs have
 * had since initdb, a quarter of all files. PostgreSQL makes them again when it needs them, also if it replays WAL that
 * changes them; see "Free Space Map" and "Visibility Map" in its manual, and `XLogReadBufferExtended` of its sources.
 */
export function treatOfClone(path: string): Treatment {
  const [, node] = /^(?:base\/\d+|global)\/(\d+)_(?:fsm|vm)$/.exec(path) ?? []
  // FirstNormalObjectId of PostgreSQL's `transam.h`: from there on, files belong to tables of users.
  return node !== undefined && Number(node) < 16_384 ? 'skip' : treatOfBaseBackup(path)
}

const emptied = new Set([
  'pg_stat_tmp',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_subtrans',
])

const leftOut = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'postgresql.auto.conf.tmp',
  'current_logfiles',
  'current_logfiles.tmp',
  'backup_label',
  'tablespace_map',
  'backup_manifest',
])

/** What is howdah's own, or temporary. */
function isLeftOut(path: string): boolean {
  const name = basename(path)
  if (leftOut.has(path)) return true
  // `postmaster.log` is where howdah has servers write, `.s.` is how sockets begin.
  if (path === name && /^(howdah\.|postmaster\.log|\.s\.)/.test(name)) return true
  return name.startsWith('pgsql_tmp') || name.startsWith('pg_internal.init')
}
