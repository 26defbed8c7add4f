import { rename, rm } from 'node:fs/promises'
import { open } from './open-file.ts'
import { fstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HeldDirectory } from '../tree/held-directory.ts'
import type { ServerUser } from '../user/server-user.ts'

/** Where a file is before it is published, and where one that was killed may have left it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`
}

/**
 * Publishes a small file in a data directory: whole, synced, mode 0600, the server's own.
 *
 * As root we write where another user may, too: in a directory of the server's user alone, whatever its path leads to
 * meanwhile, and nothing that lies there already is opened or followed.
 */
export async function writeOwnFile(
  path: string,
  text: string,
  user: ServerUser | null,
): Promise<void> {
  using above = HeldDirectory.follow(dirname(path))
  const { uid } = fstatSync(above.fd)
  if (user !== null && uid !== user.uid) {
    throw new Error(`${path} would lie in a directory of another user (uid ${uid}); try again`)
  }
  const place = join(above.path, basename(path))
  const temporary = temporaryOf(place)
  // Left by one that was killed: only one writes at a time, under the change lock.
  await rm(temporary, { force: true })
  try {
    {
      await using file = await open(temporary, 'wx', 0o600)
      await file.writeFile(text)
      if (user !== null) await file.chown(user.uid, user.gid)
      await file.sync()
    }
    await rename(temporary, place)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}
