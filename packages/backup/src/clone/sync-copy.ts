import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { release } from 'node:os'
import { promisify } from 'node:util'
import { createFailed } from '@howdah/cluster/inside'
import { type ServerUser, syncToDisk } from '@howdah/data-directory'
import { readPlainFile } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'

/**
 * The file systems that share the blocks of copied files, XFS, Btrfs and bcachefs: `XFS_SUPER_MAGIC`, `BTRFS_SUPER_MAGIC` and
 * `BCACHEFS_STATFS_MAGIC` of Linux's `linux/magic.h` and bcachefs.
 */
const sharing = new Set([0x5846_5342, 0x9123_683e, 0xca45_1a4e])

/** Up to so many bytes that wait to be written on this machine, syncing the whole file system is faster. */
const most = 256 * 1024 * 1024

/**
 * Syncs the copy of a cluster to the disk.
 *
 * Syncing a thousand files one by one makes the disk flush its cache a thousand times. So the whole file system is synced by
 * sync(1), if blocks are shared, so that there is little to write, or if not much else waits to be written. Otherwise, and if
 * sync(1) cannot do so, `initdb` syncs each file. Throws `ERR_CLUSTER_CREATE_FAILED`.
 */
export async function syncCopy(
  path: string,
  runtime: Runtime,
  user: ServerUser | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  if ((await canShareBlocks(path)) || (tellsErrors && waitingToBeWritten() < most)) {
    try {
      await promisify(execFile)('sync', ['-f', path], { env: { PATH: '/usr/bin:/bin' }, signal })
      return
    } catch (error) {
      signal?.throwIfAborted()
      const {
        code,
        message,
        stderr = message,
      } = error as NodeJS.ErrnoException & { stderr?: string }
      // Goes on only if there is no sync(1), or it does not know -f. A write error is reported only once, so any other
      // failure counts.
      if (code !== 'ENOENT' && !/usage|option/i.test(stderr))
        throw createFailed(path, stderr.trim())
    }
  }
  const { succeeded, stderr } = await syncToDisk(path, runtime, user, signal)
  if (!succeeded) throw createFailed(path, stderr.trim())
}

async function canShareBlocks(path: string): Promise<boolean> {
  return sharing.has((await statfs(path)).type)
}

/** Since Linux 5.8, syncfs(2) says if something could not be written. */
const tellsErrors = (() => {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return process.platform === 'linux' && (major > 5 || (major === 5 && minor >= 8))
})()

/** In bytes, of all file systems: see proc_meminfo(5). */
function waitingToBeWritten(): number {
  try {
    const text = readPlainFile('/proc/meminfo')
    const kilobytes = [...text.matchAll(/^(?:Dirty|Writeback): +(\d+) kB/gm)].map(([, n]) =>
      Number(n),
    )
    return kilobytes.length === 0 ? Infinity : kilobytes.reduce((sum, each) => sum + each) * 1024
  } catch {
    return Infinity
  }
}
