import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nearestReal } from '@howdah/durable'
import { spawnedAs } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { notPermitted } from '../errors.ts'
import { shellWord } from '../files/quote.ts'
import type { ServerUser } from './server-user.ts'
import { ownerOf } from './owner-of.ts'

/**
 * Throws `ERR_CLUSTER_PERMISSION` if a server could not work on the data directory: it belongs to another user, or, if we are
 * root and this is not Linux, the server's user cannot enter a directory above it. Missing directories are ignored.
 */
export async function checkAccess(
  directory: DataDirectory,
  user: ServerUser | null,
): Promise<void> {
  if (user === null) return checkOwner(directory)
  await checkServerOwns(directory, user)
  if (user.closed !== null && process.platform !== 'linux') {
    throw notPermitted(
      directory.path,
      user.closed,
      `PostgreSQL refuses to run as root, and the user it would run as, ${user.name}, cannot enter ${user.closed}; ` +
        `use a data directory elsewhere, run as an ordinary user, or open it with: chmod o+x ${shellWord(user.closed)}`,
    )
  }
}

async function isWhole(directory: DataDirectory): Promise<boolean> {
  const { versionFile, wreck } = directory
  const parts = [versionFile, directory.file('global')]
  for (const part of parts) if (!(await directory.has(part))) return false
  return !(await directory.has(wreck))
}

/**
 * The first directory above `path` that a user may not enter; `null` if there is none. Missing directories count as they will
 * be made: they belong to us, with the mode that the umask leaves.
 */
export async function closedAbove(
  path: string,
  user: { uid: number; gid: number },
): Promise<string | null> {
  const { real, missing } = nearestReal(path)
  const there = missing.length === 0 ? ancestors(real) : [...ancestors(real), real]
  for (const above of there) {
    const { mode, uid, gid } = statSync(above)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0 && !(await canEnter(above, user))) return above
  }
  // The data directory itself will belong to the user.
  const [first] = missing.slice(0, -1)
  return first !== undefined && (process.umask() & 0o001) !== 0 ? join(real, first) : null
}

function checkOwner(directory: DataDirectory): void {
  const uid = process.geteuid?.()
  const owner = ownerOf(directory.path)?.uid ?? null
  if (uid === undefined || owner === null || owner === uid) return
  throw notPermitted(
    directory.path,
    directory.path,
    `${directory.path} belongs to another user (uid ${owner}), and PostgreSQL runs only as its owner; ` +
      'run as that user, or use a data directory of your own',
  )
}

/**
 * Throws unless the directory belongs to the server's user. An empty directory, and a wreck of a creation, are given to that
 * user later. A complete cluster that root has copied still belongs to root.
 */
async function checkServerOwns(directory: DataDirectory, user: ServerUser): Promise<void> {
  const { path } = directory
  const owner = ownerOf(path)?.uid ?? null
  if (owner === null || owner === user.uid || !(await isWhole(directory))) return
  const cure =
    owner === 0
      ? `give it to that user: chown -R ${user.uid}:${user.gid} ${shellWord(path)}`
      : 'name no other user to run it as'
  throw notPermitted(
    path,
    path,
    `${path} belongs to ${owner === 0 ? 'root' : `uid ${owner}`}, and its server would run as ${user.name}, ` +
      `although PostgreSQL runs only as its owner; ${cure}`,
  )
}

/** The parents of `path`, from the root down, without `path` itself. */
function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [...ancestors(parent), parent]
}

/** Asks the kernel, because mode bits do not show access control lists. */
async function canEnter(directory: string, user: { uid: number; gid: number }): Promise<boolean> {
  try {
    await promisify(execFile)('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
      ...spawnedAs(user),
      cwd: '/',
      env: {},
    })
    return true
  } catch {
    return false
  }
}
