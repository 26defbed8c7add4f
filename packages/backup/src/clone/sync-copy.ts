import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { createFailed } from '@howdah/cluster/inside'
import { type ServerUser, syncToDisk } from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'

/**
 * XFS, Btrfs and bcachefs, which share the blocks of copied files: `XFS_SUPER_MAGIC`, `BTRFS_SUPER_MAGIC` and
 * `BCACHEFS_STATFS_MAGIC` of Linux's `linux/magic.h` and bcachefs.
 */
const sharing = new Set([0x5846_5342, 0x9123_683e, 0xca45_1a4e])

/**
 * Brings the copy of a cluster to the disk.
 *
 * If blocks are shared there is next to nothing to write, and the file system is synced as a whole, by sync(1): to sync a
 * thousand such files one by one takes Btrfs seconds. Elsewhere, and if sync(1) cannot do that, `initdb` syncs each file.
 * Throws `ERR_CLUSTER_CREATE_FAILED`.
 */
export async function syncCopy(
  path: string,
  runtime: Runtime,
  user: ServerUser | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (sharing.has((await statfs(path)).type)) {
    try {
      await promisify(execFile)('sync', ['-f', path], { env: { PATH: '/usr/bin:/bin' }, signal })
      return
    } catch {
      signal?.throwIfAborted()
    }
  }
  const { succeeded, stderr } = await syncToDisk(path, runtime, user, signal)
  if (!succeeded) throw createFailed(path, stderr.trim())
}
