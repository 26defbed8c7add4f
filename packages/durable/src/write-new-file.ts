import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { syncFile } from './sync.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** How a new file is made. */
export interface NewFile {
  /** Its mode, whatever the umask. Without it the mode is 0666 less the umask, or what the directory's ACL says. */
  readonly mode?: number | undefined
  /** Sync it, so that the content survives a power failure, which costs milliseconds; `true` by default. */
  readonly durable?: boolean | undefined
  /** Called with the open file before anything is written. What it throws keeps the file from being made. */
  readonly prepare?: ((fd: number) => void | Promise<void>) | undefined
}

/**
 * Makes a file that was not there, with its whole content on the disk, or leaves nothing.
 *
 * Its name does not survive a power failure before its directory is synced. Rejects with the system's error: `EEXIST` if
 * anything is there, also a symbolic link.
 */
export async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  { mode, durable = true, prepare }: NewFile = {},
): Promise<void> {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode ?? 0o666)
  try {
    try {
      // Less of it was given if the umask takes something away.
      if (mode !== undefined) fchmodSync(fd, mode)
      await prepare?.(fd)
      writeFileSync(fd, content)
      if (durable) await syncFile(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    // Why it failed is worth more than why it cannot be removed.
    try {
      unlinkSync(path)
    } catch {}
    throw error
  }
}
