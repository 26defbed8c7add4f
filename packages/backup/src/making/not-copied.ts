import { basename } from 'node:path'
import type { Treatment } from '../tree/list-tree.ts'

/**
 * How a base backup treats a path in a running server's data directory.
 *
 * Source: "Making a Base Backup Using the Low Level API" in PostgreSQL's manual, and `basebackup.c`.
 */
export function treatOfBaseBackup(path: string): Treatment {
  if (path === 'pg_wal' || emptied.has(path)) return 'empty'
  return isLeftOut(path) ? 'skip' : 'copy'
}

/** Directories that a server fills again when it starts, or that are of no use to another server. */
/**
 * How a clone treats a path in a data directory. It leaves out the free space maps and visibility maps of the system
 * catalogs, a quarter of all files. PostgreSQL makes them again when it needs them, even if it replays WAL that changes them;
 * see "Free Space Map" and "Visibility Map" in its manual, and `XLogReadBufferExtended` of its sources.
 */
export function treatOfClone(path: string): Treatment {
  const [, node] = /^(?:base\/\d+|global)\/(\d+)_(?:fsm|vm)$/.exec(path) ?? []
  // FirstNormalObjectId of PostgreSQL's `transam.h`: files with higher numbers belong to tables of users.
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

/** Whether a path is one of howdah's own files, or temporary. */
function isLeftOut(path: string): boolean {
  const name = basename(path)
  if (leftOut.has(path)) return true
  // `postmaster.log` is the server's log under howdah; names of sockets begin with `.s.`.
  if (path === name && /^(howdah\.|postmaster\.log|\.s\.)/.test(name)) return true
  return name.startsWith('pgsql_tmp') || name.startsWith('pg_internal.init')
}
