import { constants, fsync } from 'node:fs'
import {
  chmod,
  copyFile,
  mkdir,
  open,
  readFile,
  readdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { errno } from '@howdah/durable'
import { isRecord, parseJson } from './json.ts'
import { writeOut } from '../machine/write-out.ts'
import { packageDamaged } from '../errors.ts'

/** `linked`: the programs are copied, and the rest are links to the package; `copied`: everything is copied. */
export type TreeMode = 'linked' | 'copied'

/**
 * Makes a tree of runnable programs from a package's `native` directory.
 *
 * Packages of npm cannot contain symbolic links; this makes the links to libraries that `pg-symlinks.json` lists. The
 * programs and libraries find each other by relative paths (`$ORIGIN/../lib`), so the loader needs no settings. When this
 * returns, everything except links is synced. On macOS a sync of a file takes several milliseconds. There, all files are
 * written out at once, and reach the disk with the next file that is synced: the tree's manifest.
 */
export async function buildTree(native: string, target: string, mode: TreeMode): Promise<void> {
  await mkdir(target)
  await chmod(target, 0o755)
  await copyDirectory(join(native, 'bin'), join(target, 'bin'))
  if (mode === 'copied') {
    await copyDirectory(join(native, 'lib'), join(target, 'lib'))
    await copyDirectory(join(native, 'share'), join(target, 'share'))
  } else {
    await linkEntries(join(native, 'lib'), join(target, 'lib'))
    // The server's modules find libraries by `$ORIGIN/..`, so the modules need links here as well.
    await linkEntries(join(native, 'lib/postgresql'), join(target, 'lib/postgresql'))
    await symlink(join(native, 'share'), join(target, 'share'))
  }
  await makeLinks(native, target)
  if (isSyncedAtOnce) await writeOut()
}

/** On macOS Node's fsync is F_FULLFSYNC of fcntl(2). */
const isSyncedAtOnce = process.platform === 'darwin'

/**
 * Makes the missing links of those that a package's `pg-symlinks.json` lists.
 *
 * Throws `ERR_RUNTIME_PACKAGE` for links that are not in `lib`.
 */
export async function makeLinks(native: string, target: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8')
  const list = parseJson(text)
  if (!Array.isArray(list)) throw packageDamaged(native, 'its pg-symlinks.json is not a list')
  for (const link of list.map((one: unknown) => (isRecord(one) ? one : {}))) {
    const { source, target: name } = link
    if (!isLibrary(source) || !isLibrary(name) || dirname(source) !== dirname(name)) {
      throw packageDamaged(native, `its pg-symlinks.json has ${JSON.stringify(link)}`)
    }
    const path = join(target, name.replace(/^native\//, ''))
    await symlink(basename(source), path).catch((error: unknown) => {
      if (errno(error) !== 'EEXIST') throw error
    })
  }
}

function isLibrary(path: unknown): path is string {
  return typeof path === 'string' && path.startsWith('native/lib/') && normalize(path) === path
}

async function linkEntries(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  const names = await readdir(from)
  // lib/postgresql becomes a real directory, not a link.
  const linked = names.filter((name) => name !== 'postgresql')
  await Promise.all(linked.map((name) => symlink(join(from, name), join(to, name))))
}

async function copyDirectory(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  const entries = await readdir(from, { withFileTypes: true })
  // Copies a few files at a time: each file is synced, and the file system can join syncs that run at the same time.
  const queue = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  const worker = async (): Promise<void> => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      await copyWhole(join(from, name), join(to, name))
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  for (const entry of entries) {
    if (entry.isDirectory()) await copyDirectory(join(from, entry.name), join(to, entry.name))
  }
}

/**
 * Copies a file. The copy is readable by all and executable by all or none. Syncs it, unless all files are synced at once.
 */
async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  if (isSyncedAtOnce) await chmod(to, modeFor((await stat(to)).mode))
  else await settleFile(to)
}

/** Makes a file readable by all, writable by us only and executable by all or none, and syncs it. */
export async function settleFile(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { mode } = await file.stat()
    await file.chmod(modeFor(mode))
    // Under Yarn's Plug'n'Play, the `sync` of file handles does not work.
    await promisify(fsync)(file.fd)
  } finally {
    await file.close()
  }
}

function modeFor(mode: number): number {
  return (mode & 0o100) === 0 ? 0o644 : 0o755
}

/** Writes a small file and syncs it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o644 })
  await settleFile(path)
}
