import { rename, rm } from 'node:fs/promises'
import { open } from './open-file.ts'
import { fstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HeldDirectory } from '../tree/held-directory.ts'
import type { ServerUser } from '../user/server-user.ts'

/** The path of a file before it is published. A killed process may leave a file there. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`
}

/**
 * Publishes a small file in a data directory. The file is complete, has mode 0600, and belongs to the server's user. It is synced
 * unless `durable` is false, as in a cluster that nobody needs after a crash of the machine.
 *
 * As root we write in a directory in which another user may write, too. So the directory is held by a descriptor and must
 * belong to the server's user, and existing files in it are never opened or followed.
 */
export async function writeOwnFile(
  path: string,
  text: string,
  user: ServerUser | null,
  { durable = true }: { durable?: boolean | undefined } = {},
): Promise<void> {
  using above = HeldDirectory.follow(dirname(path))
  const { uid } = fstatSync(above.fd)
  if (user !== null && uid !== user.uid) {
    throw new Error(`${path} would lie in a directory of another user (uid ${uid}); try again`)
  }
  const place = join(above.path, basename(path))
  const temporary = temporaryOf(place)
  // Only one process writes at a time, under the change lock, so an existing temporary file was left by a killed process.
  await rm(temporary, { force: true })
  try {
    {
      await using file = await open(temporary, 'wx', 0o600)
      await file.writeFile(text)
      if (user !== null) await file.chown(user.uid, user.gid)
      if (durable) await file.sync()
    }
    await rename(temporary, place)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}
