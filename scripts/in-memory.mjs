// Where the tests' temporary files lie: in memory if that is possible without a trace, for most of the suite's time went
// into waiting for the disk.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, chmodSync, rmdirSync, statfsSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { workers } from './workers.mjs'

/** The type of a tmpfs, as statfs(2) says it. */
export const tmpfs = 0x01021994
/** In bytes: the tests of one worker need less than 1 GiB of files and 0.5 GiB of processes at a time. */
const room = workers * 1.5 * 2 ** 30

/** Large files, such as those of PostgreSQL's WAL, take less than half of the CPU time with large pages, if the kernel has them. */
const mount = ['mode=1777,huge=within_size', 'mode=1777']
  .map((options) => `mount -t tmpfs -o ${options} howdah-test "$TMPDIR" 2>/dev/null`)
  .join(' || ')

/**
 * Runs a command with a temporary directory in memory: a tmpfs that is mounted in the system's temporary directory, in a
 * mount namespace of the command's own. In an ipc namespace of its own, no server of the machine has the shared memory that its
 * servers want, and none is left to the machine. The kernel drops both with the last process that sees them, however that ends.
 *
 * Gives the result of `spawnSync`; `null` if this cannot be done here, need not be done (the temporary directory lies in
 * memory already), or is not wanted (`HOWDAH_TEST_DISK=1`). The command has not been run then.
 */
export function runInMemory([command, ...args], options) {
  if (process.platform !== 'linux' || process.getuid() !== 0) return null
  if (process.env.HOWDAH_TEST_DISK === '1') return null
  if (statfsSync(tmpdir()).type === tmpfs || !hasMemory()) return null
  const directory = mkdtempSync(join(tmpdir(), 'howdah-test-'))
  chmodSync(directory, 0o1777)
  const unshare = ['--mount', '--ipc', '--propagation', 'private', 'sh', '-ec']
  const env = { ...options.env, TMPDIR: directory, HOWDAH_TEST_SYSTEM_TMPDIR: tmpdir() }
  try {
    // A trial first, so that a status of the command is never taken for one of unshare.
    if (spawnSync('unshare', [...unshare, mount], { env }).status !== 0) return null
    const script = `${mount}; exec "$@"`
    return spawnSync('unshare', [...unshare, script, 'sh', command, ...args], { ...options, env })
  } finally {
    rmdirSync(directory)
  }
}

/** Whether there is memory for the tests. A container may have less than its machine. */
export function hasMemory() {
  const usable = Math.min(freemem(), process.availableMemory?.() ?? Infinity)
  return usable >= room
}
