import { chmod, chown, mkdir, open, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from './data-directory.ts'
import { serverEnvironment } from './environment.ts'
import { CreateFailedError, NotEmptyError, PermissionError } from './errors.ts'
import { writeMark } from './mark.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Makes a cluster of an existing, empty directory: UTF-8, locale C, UTC, no password on the socket.
 *
 * The directory itself is never replaced, for its flock is the change lock. initdb works in a directory inside it; then
 * its files are brought in, `PG_VERSION` last. The marker file stands from the first step to the last, so that
 * what a kill leaves is known for a wreck, and emptied by the next to come. The caller holds the change lock.
 *
 * Throws {@link NotEmptyError} for a directory with other content, {@link CreateFailedError} with initdb's words.
 */
export async function createCluster(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  options: { throwAway: boolean },
): Promise<void> {
  await clearWreck(directory)
  const found = await readdir(directory.path)
  if (found.length > 0) throw new NotEmptyError(directory.path, found.toSorted())
  const superuser = invokingUser()
  try {
    await own(directory.path, user)
    await chmod(directory.path, 0o700)
    await writeFile(
      directory.wreck,
      'A cluster is being made or removed here; until that is done, there is none.\n',
    )
    const staging = directory.newStaging()
    await mkdir(staging, { mode: 0o700 })
    await own(staging, user)
    await initdb(directory, staging, runtime, user, superuser)
    await writeMark(directory, user, { superuser, created: true })
    if (options.throwAway) {
      await writeFile(directory.throwAway, 'This cluster is removed when its last user leaves.\n', {
        mode: 0o600,
      })
      await own(directory.throwAway, user)
    }
    await bringIn(directory, staging)
  } catch (error) {
    await clearWreck(directory).catch(() => undefined)
    throw explain(directory, error)
  }
}

/** Removes what an interrupted creation or destruction has left. Nothing is removed where no marker stands. */
export async function clearWreck(directory: DataDirectory): Promise<void> {
  const names = await readdir(directory.path)
  const marker = names.find((name) => directory.file(name) === directory.wreck)
  if (marker === undefined) return
  for (const name of names.filter((other) => other !== marker)) {
    // An initdb whose caller was killed may still be writing there; it ends when it finds its directory gone.
    await rm(directory.file(name), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 })
  }
  await rm(directory.wreck, { force: true })
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

async function initdb(
  directory: DataDirectory,
  staging: string,
  runtime: Runtime,
  user: ServerUser | null,
  superuser: string,
): Promise<void> {
  const { execa } = await import('execa')
  const names = ['--pgdata', staging, '--username', superuser]
  const kind = ['--encoding', 'UTF8', '--locale', 'C']
  const access = ['--auth-local', 'trust', '--auth-host', 'scram-sha-256']
  const result = await execa(runtime.program('initdb'), [...names, ...kind, ...access], {
    cwd: directory.path,
    env: serverEnvironment(runtime.bindir),
    extendEnv: false,
    ...(user !== null && { uid: user.uid, gid: user.gid }),
    stdin: 'ignore',
    all: true,
    reject: false,
  })
  if (result.failed)
    throw new CreateFailedError(directory.path, result.all || result.message || '', {
      cause: result,
    })
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
