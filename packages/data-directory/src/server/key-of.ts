import { statSync } from 'node:fs'
import { readPlainFile } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'

/** How many keys a server tries that others have already, before we take the key for another directory's. */
const tries = 16

/**
 * Whether the key of a server's shared memory is that of a data directory; `null` if it cannot tell.
 *
 * From 13 on it is the directory's inode number, or one of the next if that key is taken; before, it comes from the port.
 * Source: `PGSharedMemoryCreate` in PostgreSQL's `sysv_shmem.c`.
 */
export function isKeyOf(directory: DataDirectory, key: number): boolean | null {
  if (!(majorOf(directory) >= 13)) return null
  const { ino } = statSync(directory.path, { bigint: true })
  const distance = (BigInt(key) - ino) & 0xffff_ffffn
  return distance < BigInt(tries)
}

function majorOf({ versionFile }: DataDirectory): number {
  try {
    return Number.parseInt(readPlainFile(versionFile), 10)
  } catch {
    return NaN
  }
}
