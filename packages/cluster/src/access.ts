import { execFile } from 'node:child_process'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { DataDirectory } from './data-directory.ts'
import { PermissionError } from './errors.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Throws {@link PermissionError} where a server could not work on the data directory: as root, when the server's user
 * cannot get through a directory above it; else, when it belongs to somebody else. What is not there yet is passed over.
 */
export async function checkAccess(
  directory: DataDirectory,
  user: ServerUser | null,
): Promise<void> {
  if (user === null) await checkOwner(directory)
  else await checkTraversal(directory, user)
}

async function checkTraversal(directory: DataDirectory, user: ServerUser): Promise<void> {
  for (const above of ancestors(await nearestReal(directory.path))) {
    const { mode, uid, gid } = await stat(above)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) !== 0 || (await canEnter(above, user))) continue
    throw new PermissionError(
      directory.path,
      above,
      `PostgreSQL refuses to run as root, and the user it would run as, ${user.name}, cannot enter ${above}; ` +
        `use a data directory elsewhere, such as below /var/tmp, run as an ordinary user, ` +
        `or open it with: chmod o+x ${quote(above)}`,
    )
  }
}

async function checkOwner(directory: DataDirectory): Promise<void> {
  const uid = process.geteuid?.()
  const found = await stat(directory.path).catch(() => null)
  if (uid === undefined || found === null || found.uid === uid) return
  throw new PermissionError(
    directory.path,
    directory.path,
    `${directory.path} belongs to another user (uid ${found.uid}), and PostgreSQL runs only as its owner; ` +
      'run as that user, or use a data directory of your own',
  )
}

/** The real path of `path`, or of the nearest directory above it that is there, with a name below. */
async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    const real = await nearestReal(parent)
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
async function canEnter(directory: string, { uid, gid }: ServerUser): Promise<boolean> {
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
