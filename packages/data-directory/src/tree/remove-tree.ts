import type { Dirent } from 'node:fs'
import { readdir, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { HeldDirectory } from './held-directory.ts'
import { realByOwnLinks } from './real-by-own-links.ts'

/**
 * Removes a file or a directory with all that is in it; what is not there is removed already.
 *
 * Each directory is held open while it is emptied, so that nobody leads us elsewhere by putting a link or another directory
 * in the place of one: `rm` of Node and of BusyBox goes by paths. Without /proc we go by paths, too. Throws errors of the system.
 */
export async function removeTree(path: string): Promise<void> {
  const parent = dirname(path)
  const above = /^\/proc\/self\/fd\/\d+$/.test(parent) ? parent : null
  if (above !== null) return await removeEntry(above, basename(path))
  // Root follows a link to the directory above only if no other user can have put it there.
  using held =
    process.geteuid?.() === 0
      ? HeldDirectory.open(realByOwnLinks(resolve(parent)) ?? parent)
      : HeldDirectory.follow(parent)
  await removeEntry(held.path, basename(path))
}

/** Removes all that is in a directory but what is to be kept, by name. */
export async function emptyDirectory(
  path: string,
  keeps: (name: string) => boolean = () => false,
): Promise<void> {
  const found = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !keeps(name))
  const isDirectory = (entry: Dirent) => entry.isDirectory()
  const files = found.filter((entry) => !isDirectory(entry))
  await Promise.all(files.map(async ({ name }) => await removeEntry(path, name)))
  // One after the other: each takes a descriptor for as long as it is emptied.
  for (const { name } of found.filter(isDirectory)) await removeEntry(path, name)
}

/** How often something may become another kind of thing while we remove it. */
const attempts = 20

async function removeEntry(above: string, name: string, left = attempts): Promise<void> {
  const path = `${above}/${name}`
  try {
    await unlink(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    // Linux says EISDIR of a directory, and macOS EPERM.
    if (code !== 'EISDIR' && code !== 'EPERM') throw error
    if (!(await removeDirectory(path)) && left > 0) await removeEntry(above, name, left - 1)
  }
}

/** `false` if it is a directory no longer. */
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
