import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { notPermitted } from '../errors.ts'

/**
 * The longest path of a socket, in bytes, with the terminating NUL: `sizeof(sockaddr_un.sun_path)`. Node silently cuts
 * longer paths.
 */
const capacity = process.platform === 'linux' ? 108 : 104

/**
 * The directory by which clients reach a socket in `directory`. It is `directory` itself if the socket's path is short enough
 * and has no comma (libpq separates hosts by commas), else a short link to it.
 *
 * The links lie in a directory of ours, below the temporary directory or the home directory, in which nobody else can write,
 * because a planted link would lead clients to another user's server. Throws `ERR_CLUSTER_PERMISSION` if there is none.
 */
export async function reachableSocketDirectory(
  dataDir: string,
  directory: string,
  port: number,
): Promise<string> {
  if (fitsSocket(`${directory}/.s.PGSQL.${port}`) && !directory.includes(',')) return directory
  const links = await ownDirectory(dataDir)
  const link = join(links, createHash('sha256').update(directory).digest('hex').slice(0, 16))
  if ((await readlink(link).catch(() => null)) !== directory) {
    const temporary = `${link}.${process.pid}`
    await rm(temporary, { force: true })
    await symlink(directory, temporary)
    await rename(temporary, link)
  }
  return link
}

/** Whether a path is short enough for a socket. */
export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) < capacity
}

/**
 * The possible directories for links. On macOS the path of the temporary directory is long, and files that were not used for
 * three days are removed from /tmp, so links lie in the home directory there, if its path is short enough.
 */
export function linkDirectories(): string[] {
  const uid = process.getuid?.() ?? 0
  const passing = [...new Set([tmpdir(), '/tmp'])].map((parent) => join(parent, `howdah-${uid}`))
  return process.platform === 'darwin'
    ? [join(homedir(), '.local/state/howdah/sockets'), ...passing]
    : passing
}

/** Only a directory in the home may have missing parents, because nobody else can put other directories there. */
function isAtHome(candidate: string): boolean {
  return candidate.endsWith('/.local/state/howdah/sockets')
}

async function ownDirectory(dataDir: string): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const candidates = linkDirectories().filter((candidate) => candidate.length < 60)
  let path = candidates[0] ?? ''
  let obstacle: unknown = null
  for (const candidate of candidates) {
    path = candidate
    obstacle = await mkdir(candidate, { mode: 0o700, recursive: isAtHome(candidate) }).then(
      () => null,
      (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? null : error),
    )
    // TMPDIR may be missing or unwritable.
    if (obstacle === null) break
  }
  if (obstacle !== null) {
    throw notPermitted(
      dataDir,
      path,
      `${dataDir} is too long for a socket, and ${path}, where a short link to it would lie, cannot be made; ` +
        'use a shorter path, or set TMPDIR to a directory that can be written',
      { cause: obstacle },
    )
  }
  const found = await lstat(path)
  if (!found.isDirectory() || found.uid !== uid) {
    throw notPermitted(
      dataDir,
      path,
      `${dataDir} is too long for a socket, and ${path}, where a short link to it would lie, is not ours; ` +
        'use a shorter path, or set TMPDIR to a directory of your own',
    )
  }
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700)
  return path
}
