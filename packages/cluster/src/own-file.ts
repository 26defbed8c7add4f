import { rename, rm } from 'node:fs/promises'
import { open } from './open-file.ts'
import type { ServerUser } from './server-user.ts'

/** Where a file is before it is published, and where one that was killed may have left it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`
}

/**
 * Publishes a small file in a data directory: whole, synced, mode 0600, the server's own.
 *
 * As root we write where another user may, too; so nothing that lies there already is opened or followed.
 */
export async function writeOwnFile(
  path: string,
  text: string,
  user: ServerUser | null,
): Promise<void> {
  const temporary = temporaryOf(path)
  // Left by one that was killed: only one writes at a time, under the change lock.
  await rm(temporary, { force: true })
  {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(text)
    if (user !== null) await file.chown(user.uid, user.gid)
    await file.sync()
  }
  await rename(temporary, path)
}
