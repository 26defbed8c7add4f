import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { openPlainFile } from '@howdah/lock'
import { cloneTree } from '../tree/clone-tree.ts'
import type { CopyOptions } from '../tree/copy-files.ts'
import { listTree, type Treatment } from '../tree/list-tree.ts'
import { sourceOwner } from '../tree/source-owner.ts'
import { backupUnsupported } from '../errors.ts'
import { treatOfClone } from '../making/not-copied.ts'
import type { ProgressReport } from '../progress-report.ts'
import {
  type DataDirectory,
  endOrphans,
  findPostmaster,
  type ServerUser,
} from '@howdah/data-directory'
import { ofRecovery } from './of-recovery.ts'

const control = 'global/pg_control'

/** How to make a copy. */
export interface CopyingOptions {
  /** Its directory, empty. */
  readonly to: string
  readonly owner: ServerUser | null
  readonly progress: ProgressReport
  readonly signal?: AbortSignal | undefined
}

/**
 * Copies a stopped cluster with its WAL, as its shutdown or crash has left it. The caller holds its change and use locks.
 *
 * Throws `ERR_CLUSTER_BACKUP_UNSUPPORTED` for a standby, and for a cluster with tablespaces outside its data directory.
 */
export async function copyStopped(
  directory: DataDirectory,
  { to, owner, progress, signal }: CopyingOptions,
): Promise<void> {
  await refuseUnsupported(directory)
  await endWriters(directory)
  const before = await controlFileOf(directory)
  // The directory of the WAL may be a link to another place.
  const wal = directory.file('pg_wal')
  const [tree, segments] = [await listTree(directory.path, treat), await listTree(wal, treatOfWal)]
  const sizes = [...tree.files, ...segments.files].map(({ size }) => size)
  progress.begin(
    'copying',
    sizes.reduce((sum, size) => sum + size, 0),
  )
  const onBytes = (bytes: number) => progress.add(bytes)
  const of = sourceOwner(directory.path)
  const copying: CopyOptions = { owner, of, durable: false, signal, onBytes }
  await cloneTree(directory.path, to, tree, { ...copying, last: control })
  await cloneTree(wal, join(to, 'pg_wal'), segments, copying)
  const isSame = before.equals(await controlFileOf(directory))
  if (!isSame || (await findPostmaster(directory)) !== null) {
    const why =
      'somebody has started a server on it meanwhile, and not through howdah; clone it again'
    throw backupUnsupported(directory.path, why)
  }
}

async function controlFileOf(directory: DataDirectory): Promise<Buffer> {
  await using file = await openPlainFile(directory.file(control))
  return await file.readFile()
}

/** Ends the processes of a killed postmaster, which might go on writing. */
async function endWriters(directory: DataDirectory): Promise<void> {
  if (!(await directory.has(directory.pidFile))) return
  const left = await endOrphans(directory)
  if (left.length === 0) return
  const who = left.map(({ identity }) => identity.pid).join(', ')
  const why = `processes of a killed server still work on it (pid ${who}), and do not end; end them`
  throw backupUnsupported(directory.path, why)
}

/** Also copies the files that say where recovery begins. A base backup that was never started has them. */
function treat(path: string): Treatment {
  return path === 'backup_label' || path === 'tablespace_map' ? 'copy' : treatOfClone(path)
}

/** A copy does not need the marks of archived WAL or the summaries for incremental backups. */
function treatOfWal(path: string): Treatment {
  return path === 'archive_status' || path === 'summaries' ? 'empty' : 'copy'
}

async function refuseUnsupported(directory: DataDirectory): Promise<void> {
  for (const name of ofRecovery) {
    if (!(await directory.has(directory.file(name)))) continue
    const why = `it is a standby, or has not ended its recovery (${name} is there); take its primary, or start it once`
    throw backupUnsupported(directory.path, why)
  }
  const links = (await readdir(directory.file('pg_tblspc'), { withFileTypes: true })).filter(
    (entry) => entry.isSymbolicLink(),
  )
  if (links.length > 0) {
    const places = links.map(({ name }) => readlink(directory.file('pg_tblspc', name)))
    const where = (await Promise.all(places)).join(', ')
    const why = `it has tablespaces outside of its data directory (${where}); start it, and use pg_basebackup, which can map them`
    throw backupUnsupported(directory.path, why)
  }
}
