import { join } from 'node:path'
import { readIfThere, type ServerUser, writeOwnFile } from '@howdah/data-directory'

/** Settings that belong to the original and not to a copy: where it archives to and recovers from. */
const ofTheOriginal =
  /^(archive_mode|archive_command|archive_library|restore_command|archive_cleanup_command|recovery_\w+|primary_\w+|promote_trigger_file)$/

/**
 * Removes from `postgresql.auto.conf`, where `ALTER SYSTEM` writes, the settings that a copy must not share with its original.
 *
 * The cluster must be stopped.
 */
export async function resetCopiedSettings(dataDir: string, user: ServerUser | null): Promise<void> {
  const path = join(dataDir, 'postgresql.auto.conf')
  const text = readIfThere(path) ?? ''
  const kept = text
    .split('\n')
    .filter((line) => !ofTheOriginal.test(/^\s*(\w+)/.exec(line)?.[1] ?? ''))
    .join('\n')
  if (kept !== text) await writeOwnFile(path, kept, user)
}
