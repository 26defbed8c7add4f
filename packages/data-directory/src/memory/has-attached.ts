import { readFileSync } from 'node:fs'
import { askAsOwner } from '../processes/ask-as-owner.ts'

/**
 * Whether a process has attached a segment of System V shared memory, as far as we can see. Then it maps a file that is named
 * after the segment's key and has the segment's id as its inode number.
 *
 * Source: proc_pid_maps(5), `newseg` in Linux's `ipc/shm.c`.
 */
export async function hasAttached(pid: number, id: number): Promise<boolean> {
  const line = new RegExp(`^\\S+ \\S+ \\S+ \\S+ ${id} +/SYSV`, 'm')
  return line.test((await mapsOf(pid)) ?? '')
}

async function mapsOf(pid: number): Promise<string | null> {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1')
  } catch {
    return await askAsOwner(pid, '/', 'cat "/proc/$1/maps"', [String(pid)])
  }
}
