import { execFile } from 'node:child_process'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { type DataDirectory, segments } from '@howdah/data-directory'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** Limits of the system that PostgreSQL and howdah may run into. */
export const limits: Check = {
  name: 'limits',
  async examine(scene) {
    const disks = await ofEach(scene, diskComplaint)
    const machine = scene.wholeMachine
      ? [await dynamicMemory(), await segmentCount(), await watches()]
      : []
    return [...disks, ...machine.filter((one) => one !== null)]
  },
}

const mebibyte = 1024 * 1024

/**
 * Warns if the disk is nearly full: a server that cannot make its next WAL file of 16 MiB, or write a checkpoint, ends at
 * once.
 */
async function diskComplaint({ path }: DataDirectory): Promise<Complaint[]> {
  const { bavail, bsize } = await statfs(path)
  const free = bavail * bsize
  if (free >= 64 * mebibyte) return []
  return [
    {
      severity: 'error',
      subject: { path },
      what: `${inMebibytes(free)} are left for ${path}; a server that cannot write ends`,
      cure: 'make room on that file system',
    },
  ]
}

/** Checks `/dev/shm`, in which parallel queries keep shared data. In containers it has 64 MiB by default. */
async function dynamicMemory(): Promise<Complaint | null> {
  const path = '/dev/shm'
  const place = await statfs(path).catch(() => null)
  if (place === null) return null
  const size = place.blocks * place.bsize
  const free = place.bavail * place.bsize
  // The size is 0 if there is no limit.
  if (size === 0 || (size > 64 * mebibyte && free >= 16 * mebibyte)) return null
  const isFull = free < 16 * mebibyte
  return {
    severity: isFull ? 'warning' : 'notice',
    subject: { path },
    what: `${path} has ${inMebibytes(size)}, of which ${inMebibytes(free)} are free; parallel queries may fail with "could not resize shared memory segment"`,
    cure: 'enlarge it (docker run --shm-size=1g), or set max_parallel_workers_per_gather to 0',
  }
}

/** Each server has one segment of System V shared memory; on macOS there are 32 for all, and killed servers keep theirs. */
async function segmentCount(): Promise<Complaint | null> {
  const isMac = process.platform === 'darwin'
  const limit = await (isMac ? macSegmentLimit() : segmentLimit()).catch(() => null)
  if (limit === null || !(segments().length >= limit)) return null
  const cure = isMac
    ? 'see with ipcs -m -o -p who owns them, and remove those that no process has (NATTCH 0): ipcrm -m ID'
    : 'see with ipcs -m who owns them, or raise the limit: sysctl kernel.shmmni'
  return {
    severity: 'error',
    subject: isMac ? {} : { path: '/proc/sys/kernel/shmmni' },
    what: `all ${limit} segments of shared memory are in use, so that no server can start`,
    cure,
  }
}

async function segmentLimit(): Promise<number> {
  return Number(await readFile('/proc/sys/kernel/shmmni', 'utf8'))
}

/** The names of sysctl(3) in macOS's bsd/kern/sysv_shm.c. */
async function macSegmentLimit(): Promise<number> {
  const args = ['-n', 'kern.sysv.shmmni']
  return Number((await promisify(execFile)('/usr/sbin/sysctl', args)).stdout)
}

/** Checks inotify(7), which wakes processes that wait for a lock. */
async function watches(): Promise<Complaint | null> {
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(tmpdir())
    return null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EMFILE') throw error
    return {
      severity: 'notice',
      subject: { path: '/proc/sys/fs/inotify' },
      what: 'no more files can be watched, so a waiter does not see that a lock file was replaced until the lock is released',
      cure: 'raise the limit: sysctl fs.inotify.max_user_instances and fs.inotify.max_user_watches',
    }
  } finally {
    watcher?.close()
  }
}

function inMebibytes(bytes: number): string {
  return `${Math.floor(bytes / mebibyte)} MiB`
}
