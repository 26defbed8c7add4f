import { errno } from '@howdah/durable'
import { ArchiveDamagedError } from '../tree/tree-archive.ts'

/** Whether a template could not be unpacked because it is damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof ArchiveDamagedError) return true
  if (errno(error) === 'ERR_CLUSTER_CONTROL_FILE') return true
  // Unpacked files are only written, so a failed read is one of the archive, on a failing disk.
  return (error as NodeJS.ErrnoException).syscall === 'read'
}
