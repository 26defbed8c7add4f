import { closeSync, constants, fchmodSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { syncFile } from './sync.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** How a new file is made. */
export interface NewFile {
  /** The mode of the file, whatever the umask; by default 0666 less the umask, or what the directory's ACL says. */
  readonly mode?: number | undefined
  /** Sync the file, so that its content survives a power failure. It costs milliseconds; `true` by default. */
  readonly durable?: boolean | undefined
  /** Called with the open file before anything is written. If it throws or rejects, no file is left. */
  readonly prepare?: ((fd: number) => void | Promise<void>) | undefined
  /** Called when the content is written, before it is synced: a write of an ordinary user drops set-id bits. */
  readonly complete?: ((fd: number) => void) | undefined
}

/**
 * Makes a new file with its whole content on the disk, or leaves nothing.
 *
 * The name survives a power failure only after the directory has been synced. Rejects with the system's error: `EEXIST` if
 * anything is there, a symbolic link included.
 */
export async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  { mode, durable = true, prepare, complete }: NewFile = {},
): Promise<void> {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode ?? 0o666)
  try {
    try {
      // open(2) has applied the umask to the mode.
      if (mode !== undefined) fchmodSync(fd, mode)
      await prepare?.(fd)
      writeFileSync(fd, content)
      complete?.(fd)
      if (durable) await syncFile(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    // The first error matters more than a failure to remove the file.
    try {
      unlinkSync(path)
    } catch {}
    throw error
  }
}
