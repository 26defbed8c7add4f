import { readlinkSync } from 'node:fs'

/**
 * Whether this process sees all processes of the machine, and not only those of its container. The first pid namespace has
 * the same inode on every kernel, `PROC_PID_INIT_INO` in `include/linux/proc_ns.h`. macOS has no pid namespaces.
 */
export function seesAllProcesses(): boolean {
  if (process.platform === 'darwin') return true
  try {
    return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
  } catch {
    return false
  }
}
