import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { chmod, mkdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { errno, isSystemError } from '@howdah/durable'
import { RuntimeError, cacheUnusable, untrusted } from '../errors.ts'

/**
 * Makes a directory and the named directories inside it if they are missing, and makes sure that no other user can put files
 * into them.
 *
 * Each must be a real directory that we own and that only we can write. Only root and we may be able to replace them, so root
 * or we must own each directory above, also behind symbolic links, and no other user may write it, unless it is sticky, like
 * /tmp. The permissions are those of `lstat`: access control lists are not read. New directories have mode 0755 if we are
 * root, because others run root's programs, and otherwise 0700. Returns the real path of the last directory. Throws
 * `ERR_RUNTIME_UNTRUSTED_DIRECTORY`, or `ERR_RUNTIME_CACHE_DIRECTORY` if a directory cannot be made or examined.
 */
export async function trustedDirectory(directory: string, ...inside: string[]): Promise<string> {
  const there = await existingTrustedDirectory(directory, ...inside)
  if (there !== null) return there
  const path = resolve(directory, ...inside)
  await attempt(path, () => make(path))
  return attempt(path, () => checkTrusted(resolve(directory), inside))
}

/** Like {@link trustedDirectory}, but makes nothing. Returns `null` if one of the directories is missing. */
export async function existingTrustedDirectory(
  directory: string,
  ...inside: string[]
): Promise<string | null> {
  const path = resolve(directory, ...inside)
  return attempt(path, () => checkTrusted(resolve(directory), inside), true)
}

type Action<T> = () => T | Promise<T>

async function attempt<T>(path: string, action: Action<T>): Promise<T>
async function attempt<T>(path: string, action: Action<T>, missing: true): Promise<T | null>
async function attempt<T>(path: string, action: Action<T>, missing = false) {
  try {
    return await action()
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    if (missing && errno(cause) === 'ENOENT') return null
    throw cacheUnusable(path, cause.message, cause)
  }
}

async function make(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    if (errno(error) !== 'ENOENT' || dirname(path) === path) throw error
    await make(dirname(path))
    // Tries only once more: in /proc, and behind a link that leads nowhere, the directory stays missing.
    await makeOne(path)
  }
}

async function makeOne(path: string): Promise<void> {
  const mode = process.geteuid?.() === 0 ? 0o755 : 0o700
  try {
    await mkdir(path, mode)
  } catch (error) {
    if (errno(error) === 'EEXIST') return
    throw error
  }
  // The umask may have removed permissions.
  await chmod(path, mode)
}

/**
 * Synchronous, because each of the dozen system calls takes microseconds, and would take a hundred times as long in libuv's
 * pool.
 */
function checkTrusted(path: string, inside: readonly string[]): string {
  const { uid: rootOwner } = lstatSync('/')
  const us = process.geteuid?.()

  /** The real path of a directory. Throws if another user can replace files in it or in a directory above it. */
  function trustedAncestor(ancestor: string, depth: number): string {
    if (depth > 40) throw untrusted(path, 'its symbolic links form a loop', 'remove it')
    const parent = dirname(ancestor)
    const at =
      parent === ancestor ? parent : join(trustedAncestor(parent, depth), basename(ancestor))
    const stats = lstatSync(at)
    // In a user namespace, root may have another uid. The owner of the root directory can do anything in any case.
    if (![0, us, rootOwner].includes(stats.uid)) {
      const problem = `it belongs to user ${stats.uid}, who can replace what is in it`
      throw untrusted(at, problem, 'choose a directory that belongs to you')
    }
    if (stats.isSymbolicLink())
      return trustedAncestor(resolve(dirname(at), readlinkSync(at)), depth + 1)
    const sticky = (stats.mode & 0o1000) !== 0
    if (writableByOthers(stats) && !sticky) throw untrustedMode(at, stats)
    return at
  }

  let at = join(trustedAncestor(dirname(path), 0), basename(path))
  checkOwn(at)
  for (const name of inside) {
    at = join(at, name)
    checkOwn(at)
  }
  return at
}

function checkOwn(path: string): void {
  const stats = lstatSync(path)
  if (stats.isSymbolicLink()) {
    const problem = `it is a symbolic link to ${readlinkSync(path)}`
    throw untrusted(path, problem, 'name the directory itself, or remove the link')
  }
  if (!stats.isDirectory()) throw untrusted(path, 'it is not a directory', 'remove it')
  const us = process.geteuid?.()
  if (stats.uid !== us) {
    const remedy = `remove it, or chown it to user ${us ?? 'unknown'} if you trust its content`
    throw untrusted(path, `it belongs to user ${stats.uid}`, remedy)
  }
  if (writableByOthers(stats)) throw untrustedMode(path, stats)
}

function writableByOthers(stats: Stats): boolean {
  return (stats.mode & 0o022) !== 0
}

function untrustedMode(path: string, stats: Stats): RuntimeError {
  const who = (stats.mode & 0o002) === 0 ? `group ${stats.gid}` : 'everybody'
  return untrusted(path, `${who} can write it`, `chmod go-w ${path}`)
}
