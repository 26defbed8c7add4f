import { statSync } from 'node:fs'
import { readPlainFile } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'

/** How many keys above the inode number are accepted. A server tries further keys while they are taken. */
const tries = 16

/**
 * Whether the key of a server's shared memory belongs to a data directory; `null` if the key cannot tell.
 *
 * From PostgreSQL 13 on, the key is the directory's inode number, or one of the next numbers if that key is taken. Before 13
 * it comes from the port. Source: `PGSharedMemoryCreate` in PostgreSQL's `sysv_shmem.c`.
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
