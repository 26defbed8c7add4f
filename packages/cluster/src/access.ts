import { execFile } from 'node:child_process'
import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { DataDirectory } from './data-directory.ts'
import { PermissionError } from './errors.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Throws {@link PermissionError} where a server could not work on the data directory: it belongs to somebody else, or, as
 * root and not on Linux, the server's user cannot get through a directory above it. What is not there is passed over.
 */
export async function checkAccess(
  directory: DataDirectory,
  user: ServerUser | null,
): Promise<void> {
  if (user === null) checkOwner(directory)
  else if (user.closed !== null && process.platform !== 'linux') {
    throw new PermissionError(
      directory.path,
      user.closed,
      `PostgreSQL refuses to run as root, and the user it would run as, ${user.name}, cannot enter ${user.closed}; ` +
        `use a data directory elsewhere, run as an ordinary user, or open it with: chmod o+x ${quote(user.closed)}`,
    )
  }
}

/** The first of the directories above `path` that a user may not enter, or `null`. */
export async function closedAbove(
  path: string,
  user: { uid: number; gid: number },
): Promise<string | null> {
  for (const above of ancestors(nearestReal(path))) {
    const { mode, uid, gid } = statSync(above)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0 && !(await canEnter(above, user))) return above
  }
  return null
}

function checkOwner(directory: DataDirectory): void {
  const uid = process.geteuid?.()
  const owner = ownerOf(directory.path)
  if (uid === undefined || owner === null || owner === uid) return
  throw new PermissionError(
    directory.path,
    directory.path,
    `${directory.path} belongs to another user (uid ${owner}), and PostgreSQL runs only as its owner; ` +
      'run as that user, or use a data directory of your own',
  )
}

function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid
  } catch {
    return null
  }
}

/** The real path of `path`, or of the nearest directory above it that is there, with a name below. */
function nearestReal(path: string): string {
  try {
    return realpathSync.native(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    const real = nearestReal(parent)
    // What is to be made in it will have its path for an ancestor.
    return real.endsWith('/') ? `${real}.` : `${real}/.`
  }
}

/** From the root down, without `path` itself. */
function ancestors(path: string): string[] {
  const parent = path.endsWith('/.') ? path.slice(0, -2) || '/' : dirname(path)
  return parent === path ? [] : [...ancestors(parent), parent]
}

/** Asks the kernel, for the mode bits do not tell of access control lists. */
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

function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
