import { rename } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import type { DataDirectory } from '@howdah/data-directory'

/** Whether a server that did not start missed the end of the base backup that its files were copied by. */
export function saysCopyIsCutOff(words: string): boolean {
  return words.includes('WAL ends before end of online backup')
}

/**
 * Gives a copy the label of its base backup again, so that the next server recovers it from the beginning. `false`: it has none.
 *
 * A server renames the label when its recovery begins. If it is killed before the recovery ends, the next one does not look
 * for the end of the backup without the label, and refuses to start. The copy still has all WAL of the backup, for a server
 * keeps it until it has recovered. Source: `InitWalRecovery` and `CheckRecoveryConsistency` in PostgreSQL's `xlogrecovery.c`.
 */
export async function restoreLabel(directory: DataDirectory): Promise<boolean> {
  try {
    await rename(directory.file('backup_label.old'), directory.file('backup_label'))
    return true
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
}
