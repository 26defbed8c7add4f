import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawnedAs } from '@howdah/lock'
import { type DataDirectory, HeldDirectory, type ServerUser } from '@howdah/data-directory'
import { cloneTree } from '../tree/clone-tree.ts'
import { sourceOwner } from '../tree/source-owner.ts'

/** A directory with WAL that a server's user can read. */
export interface ReadableWal {
  /** Absolute, or relative to the data directory. */
  readonly path: string
  /** Whether it is a copy in the data directory, which must be removed afterwards. */
  readonly isCopy: boolean
}

/**
 * Gives the archive itself if the server's user can read it. If only root can read it, for example because it lies in a
 * closed directory, the needed files are copied into the data directory, which needs room for all of them.
 */
export async function readableWal(
  staging: DataDirectory,
  user: ServerUser | null,
  wal: string,
  names: readonly string[],
): Promise<ReadableWal> {
  if (user === null || (await canRead(wal, names, user))) return { path: wal, isCopy: false }
  const copy = 'howdah.wal'
  HeldDirectory.make(staging.file(copy), null)[Symbol.dispose]()
  const files = names.map((path) => ({ path, size: 0 }))
  const copying = { owner: user, of: sourceOwner(wal), durable: false }
  await cloneTree(wal, staging.file(copy), { directories: [], files }, copying)
  return { path: copy, isCopy: true }
}

/** Asks the kernel about the first and the last file; that is enough, because all files of an archive have one owner. */
async function canRead(wal: string, names: readonly string[], user: ServerUser): Promise<boolean> {
  const paths = [names.at(0), names.at(-1)].flatMap((name) => (name ? [join(wal, name)] : []))
  const script = 'for file; do [ -r "$file" ] || exit 1; done'
  try {
    const options = { ...spawnedAs(user), cwd: '/', env: {} }
    await promisify(execFile)('/bin/sh', ['-c', script, 'sh', ...paths], options)
    return true
  } catch {
    return false
  }
}
