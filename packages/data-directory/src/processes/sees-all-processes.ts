import { readlinkSync } from 'node:fs'

/**
 * Whether this process sees the processes of the whole machine, and not only those of its container: the inode of the
 * first pid namespace is the same on every kernel, `PROC_PID_INIT_INO` in `include/linux/proc_ns.h`. macOS has no others.
 */
export function seesAllProcesses(): boolean {
  if (process.platform === 'darwin') return true
  try {
    return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
  } catch {
    return false
  }
}
