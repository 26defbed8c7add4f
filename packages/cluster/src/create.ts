import { chmod, chown, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Runtime } from '@howdah/runtime'
import type { Removal } from './abandoned.ts'
import type { DataDirectory } from './data-directory.ts'
import { CreateFailedError, NotEmptyError, PermissionError } from './errors.ts'
import { fillWithCluster } from './fill-with-cluster.ts'
import { writeMark } from './mark.ts'
import { temporaryOf, writeOwnFile } from './own-file.ts'
import type { ServerUser } from './server-user.ts'
import { clearWreck, markWreck } from './wreck.ts'
import { open } from './open-file.ts'

/**
 * Makes a cluster of an existing, empty directory: UTF-8, locale C, UTC, no password on the socket.
 *
 * The directory itself is never replaced, for its flock is the change lock. The cluster is made in a directory inside it; then
 * its files are brought in, `PG_VERSION` last. The marker file stands from the first step to the last, so that
 * what a kill leaves is known for a wreck, and emptied by the next to come. The caller holds the change lock.
 *
 * Throws {@link NotEmptyError} for a directory with other content, {@link CreateFailedError} with initdb's words.
 */
export async function createCluster(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  options: { throwAway: boolean; onNotice: (message: string) => void },
): Promise<void> {
  const superuser = invokingUser()
  const { throwAway, onNotice } = options
  const initialization = { directory, runtime, user, superuser, throwAway }
  const removal = { user, runtime: () => Promise.resolve(runtime) }
  await bringIntoBeing(directory, removal, async (staging) => {
    await fillWithCluster(staging, initialization, onNotice)
    if (throwAway) {
      const text = 'This cluster is removed when its last user leaves.\n'
      await writeOwnFile(directory.throwAway, text, user)
    }
    return superuser
  })
}

/**
 * Makes a cluster of an existing, empty directory, whatever it is made from: `fill` fills a directory inside it, the
 * server's own, with a whole cluster, and answers with the role to connect as. See {@link createCluster}.
 */
export async function bringIntoBeing(
  directory: DataDirectory,
  removal: Removal,
  fill: (staging: string) => Promise<string>,
): Promise<void> {
  const { user } = removal
  await clearWreck(directory, removal)
  // A kill may have been so early that the marker was not yet there.
  const marker = temporaryOf(directory.wreck)
  const found = (await readdir(directory.path)).filter((name) => directory.file(name) !== marker)
  if (found.length > 0) throw new NotEmptyError(directory.path, found.toSorted())
  try {
    await own(directory.path, user)
    await chmod(directory.path, 0o700)
    await markWreck(directory)
    const staging = directory.newStaging()
    await mkdir(staging, { mode: 0o700 })
    await own(staging, user)
    const superuser = await fill(staging)
    await writeMark(directory, user, { superuser, created: true })
    await bringIn(directory, staging)
  } catch (error) {
    await clearWreck(directory, removal).catch(() => undefined)
    throw explain(directory, error)
  }
}

/** The name of whoever runs us, who becomes the cluster's superuser. */
export function invokingUser(): string {
  try {
    return userInfo().username
  } catch {
    // A uid without an entry in the user database, as containers have them.
    return 'postgres'
  }
}

async function bringIn(directory: DataDirectory, staging: string): Promise<void> {
  const last = 'PG_VERSION'
  for (const name of await readdir(staging)) {
    if (name !== last) await rename(join(staging, name), directory.file(name))
  }
  await rename(join(staging, last), directory.versionFile)
  await rmdir(staging)
  await sync(directory.path)
  await rm(directory.wreck)
  await sync(directory.path)
}

async function own(path: string, user: ServerUser | null): Promise<void> {
  if (user !== null) await chown(path, user.uid, user.gid)
}

async function sync(directory: string): Promise<void> {
  await using handle = await open(directory, 'r')
  await handle.sync()
}

function explain(directory: DataDirectory, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CreateFailedError(
      directory.path,
      'the disk is full; free some 50 MB, or use another place',
      { cause: error },
    )
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const { path = directory.path } = error as NodeJS.ErrnoException
    const message = `may not write to ${path}; use a data directory that is yours`
    return new PermissionError(directory.path, path, message, { cause: error })
  }
  return error
}
