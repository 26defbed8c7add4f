import { readlink } from 'node:fs/promises'

/**
 * Whether we see the processes of the whole machine, and not only those of our container: the inode of the first pid
 * namespace is the same on every kernel, `PROC_PID_INIT_INO` in `include/linux/proc_ns.h`.
 */
export async function seesAllProcesses(): Promise<boolean> {
  return (await readlink('/proc/self/ns/pid').catch(() => '')) === 'pid:[4026531836]'
}
