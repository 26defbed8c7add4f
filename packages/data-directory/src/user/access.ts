import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nearestReal } from '@howdah/durable'
import type { DataDirectory } from '../data-directory.ts'
import { notPermitted } from '../errors.ts'
import { shellWord } from '../files/quote.ts'
import type { ServerUser } from './server-user.ts'
import { ownerOf } from './owner-of.ts'

/**
 * Throws `ERR_CLUSTER_PERMISSION` if a server could not work on the data directory: it belongs to somebody else, or, as
 * root and not on Linux, the server's user cannot get through a directory above it. What is not there is passed over.
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
 * The first of the directories above `path` that a user may not enter, or `null`. Those that are not there count as they
 * will be made: ours, and with what the umask leaves.
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
  // The data directory itself becomes the user's own.
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
 * A directory that is empty, or in which a creation was interrupted, becomes the server's. A whole cluster that root has
 * copied is still root's.
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

/** From the root down, without `path` itself. */
function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [...ancestors(parent), parent]
}

/** Asks the kernel, because the mode bits do not tell of access control lists. */
async function canEnter(
  directory: string,
  { uid, gid }: { uid: number; gid: number },
): Promise<boolean> {
  try {
    await promisify(execFile)('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
      uid,
      gid,
      cwd: '/',
      env: {},
    })
    return true
  } catch {
    return false
  }
}
