import type { Dirent } from 'node:fs'
import { readdir, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { HeldDirectory } from './held-directory.ts'
import { realByOwnLinks } from './real-by-own-links.ts'

/**
 * Removes a file, or a directory with its content. A missing path is not an error.
 *
 * Each directory is held open while it is emptied, so that nobody can lead us elsewhere by replacing it with a link or
 * another directory. `rm` of Node and of BusyBox uses paths, so it is not safe against this. Without /proc we use paths, too.
 * Throws errors of the system.
 */
export async function removeTree(path: string): Promise<void> {
  const parent = dirname(path)
  const above = /^\/proc\/self\/fd\/\d+$/.test(parent) ? parent : null
  if (above !== null) return await removeEntry(above, basename(path))
  // Root follows a link in the path of the parent directory only if no other user can have put it there.
  using held =
    process.geteuid?.() === 0
      ? HeldDirectory.open(realByOwnLinks(resolve(parent)) ?? parent)
      : HeldDirectory.follow(parent)
  await removeEntry(held.path, basename(path))
}

/** Removes the content of a directory, except the names to keep. */
export async function emptyDirectory(
  path: string,
  keeps: (name: string) => boolean = () => false,
): Promise<void> {
  const found = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !keeps(name))
  const isDirectory = (entry: Dirent) => entry.isDirectory()
  const files = found.filter((entry) => !isDirectory(entry))
  await Promise.all(files.map(async ({ name }) => await removeEntry(path, name)))
  // One after the other, because each takes a descriptor while it is emptied.
  for (const { name } of found.filter(isDirectory)) await removeEntry(path, name)
}

/** How many times an entry may change from a file to a directory or back while we remove it. */
const attempts = 20

async function removeEntry(above: string, name: string, left = attempts): Promise<void> {
  const path = `${above}/${name}`
  try {
    await unlink(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    // For a directory, Linux gives EISDIR and macOS gives EPERM.
    if (code !== 'EISDIR' && code !== 'EPERM') throw error
    if (!(await removeDirectory(path)) && left > 0) await removeEntry(above, name, left - 1)
  }
}

/** Removes a directory. `false` if it is no longer a directory. */
async function removeDirectory(path: string): Promise<boolean> {
  try {
    using held = HeldDirectory.open(path)
    await emptyDirectory(held.path)
    await rmdir(path)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR' || code === 'ELOOP') return false
    if (code !== 'ENOENT') throw error
    return true
  }
}
