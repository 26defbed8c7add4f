import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  lchownSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { copyFile as copyBlocks, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { syncDirectory } from '@howdah/durable'
import { openPlainFile, openPlainFileSync } from '@howdah/lock'
import { type Digest, digestOf, smallest } from './digest-file.ts'
import { Ground, open, type Owner, pathOf, notPermitted } from '@howdah/data-directory'

/** A file in a tree, with its path from the root. */
interface TreeFile {
  readonly path: string
  /** In bytes, when it was listed. */
  readonly size: number
  /** Its status at that time; missing if it was not looked at. */
  readonly stats?: Pick<Stats, 'mode' | 'uid'>
}

/** The content of a tree. */
export interface Tree {
  /** The directories, each after its parents, without the root. */
  readonly directories: readonly string[]
  readonly files: readonly TreeFile[]
}

/** A copied file. */
export interface CopiedFile extends Digest {
  readonly path: string
}

/** What to do with an entry of a tree: `empty` makes a directory and leaves its content out. */
export type Treatment = 'copy' | 'empty' | 'skip'

/** Lists a tree. Entries that vanish meanwhile are left out. Links to files count as files; other links are left out. */
export async function listTree(
  root: string,
  treat: (path: string) => Treatment = () => 'copy',
): Promise<Tree> {
  const directories: string[] = []
  const files: TreeFile[] = []
  const visit = async (above: string): Promise<void> => {
    for (const entry of await readdir(join(root, above), { withFileTypes: true }).catch(gone)) {
      const path = join(above, entry.name)
      const treatment = treat(path)
      if (treatment === 'skip') continue
      if (entry.isDirectory() || treatment === 'empty') {
        directories.push(path)
        if (treatment === 'copy') await visit(path)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        const found = statSync(join(root, path), { throwIfNoEntry: false })
        if (found?.isFile() === true) files.push({ path, size: found.size, stats: found })
      }
    }
  }
  await visit('')
  return { directories, files }
}

/** How to copy a tree. */
export interface CopyOptions {
  /** The owner of the copy. */
  readonly owner?: Owner | null | undefined
  /** If we are root: only files of this uid are copied, and other files are refused; see {@link sourceOwner}. */
  readonly of: number | null
  /** Sync each file and directory, so that the copy survives a power failure. */
  readonly durable: boolean
  /** The file that is copied after all others. */
  readonly last?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the numbers of copied bytes. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** A file of up to so many bytes is cloned at once if its blocks are shared; the kernel may have to write the whole file first. */
const smallestShared = 16 * 1024 * 1024
/** Errors of a file system that cannot share blocks, or of two file systems: ioctl_ficlone(2). */
const cannotShare = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'EXDEV',
  'EINVAL',
  'ENOSYS',
  'ENOTTY',
  'EPERM',
])
/** How many small files are cloned before the event loop may go on. */
const smallAtOnce = 16
/** How many files are copied at once: the number of libuv's threads. */
const concurrency = 4
/** In bytes. */
const chunk = 1024 * 1024

/** Copies a listed tree into an existing, empty directory. Files that have vanished are left out. */
export async function copyTree(
  from: string,
  to: string,
  tree: Tree,
  options: CopyOptions,
): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = []
  await eachFile(to, tree, options, (ground) => {
    const buffer = Buffer.allocUnsafe(chunk)
    return async ({ path, size }) => {
      const copy = size <= smallest ? copySmall : copyFile
      const result = await copy(join(from, path), ground.file(path), buffer, options)
      if (result !== null) copied.push({ path, ...result })
    }
  })
  return copied.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/**
 * Copies like {@link copyTree}, but without reading the files. So the copy shares blocks with the original if the file system
 * supports that, as Btrfs, XFS, bcachefs and APFS do.
 */
export async function cloneTree(
  from: string,
  to: string,
  tree: Tree,
  options: CopyOptions,
): Promise<void> {
  let small = 0
  let isSharing = true
  await eachFile(to, tree, options, (ground) => async ({ path, size, stats }) => {
    options.signal?.throwIfAborted()
    const [source, target] = [join(from, path), ground.file(path)]
    const how = size <= smallest ? 'copy' : isSharing && size <= smallestShared ? 'share' : null
    if (options.durable || how === null) await cloneFile(source, target, options)
    else {
      if (size === 0 && stats !== undefined) makeEmptyFile(source, target, stats, options)
      else if (!cloneAtOnce(source, target, options, how)) {
        isSharing = false
        await cloneFile(source, target, options)
      }
      small += 1
      if (small % smallAtOnce === 0) await nextTurn()
    }
    options.onBytes?.(size)
  })
}

/** Makes the directories, and copies the files by several copiers in parallel, which `makeCopier` makes. */
async function eachFile(
  to: string,
  tree: Tree,
  options: CopyOptions,
  makeCopier: (ground: Ground) => (file: TreeFile) => Promise<void>,
): Promise<void> {
  using ground = Ground.at(to, options.owner ?? null)
  try {
    for (const directory of tree.directories) ground.makeDirectory(directory)
    await fill(ground, tree, options, makeCopier)
  } finally {
    ground.handOver()
  }
}

async function fill(
  ground: Ground,
  tree: Tree,
  options: CopyOptions,
  makeCopier: (ground: Ground) => (file: TreeFile) => Promise<void>,
): Promise<void> {
  const copyAll = async (files: readonly TreeFile[]) => {
    const remaining = [...files].toReversed()
    const worker = async () => {
      const copy = makeCopier(ground)
      try {
        for (let file = remaining.pop(); file !== undefined; file = remaining.pop()) {
          await copy(file)
        }
      } catch (error) {
        // This stops the other workers.
        remaining.length = 0
        throw error
      }
    }
    const settled = await Promise.allSettled(Array.from({ length: concurrency }, worker))
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  await copyAll(tree.files.filter(({ path }) => path !== options.last))
  await copyAll(tree.files.filter(({ path }) => path === options.last))
  if (options.durable) {
    for (const directory of [...tree.directories, '.']) await syncDirectory(ground.file(directory))
  }
}

const sync = promisify(fsync)

/** Copies as {@link copyFile} does, without libuv's pool except for syncing, unless the file has grown since it was listed. */
async function copySmall(
  from: string,
  to: string,
  buffer: Buffer,
  options: CopyOptions,
): Promise<Digest | null> {
  const { owner, of, durable, signal, onBytes } = options
  signal?.throwIfAborted()
  let source: number
  try {
    source = openPlainFileSync(from)
  } catch (error) {
    return vanished(error as NodeJS.ErrnoException)
  }
  let bytes: Buffer
  let mode: number
  try {
    const stats = fstatSync(source)
    requireOwner(from, stats.uid, of)
    if (stats.size > smallest) return await copyFile(from, to, buffer, options)
    mode = stats.mode & 0o777
    bytes = readFileSync(source)
  } finally {
    closeSync(source)
  }
  const target = openSync(to, 'wx', mode)
  try {
    writeFileSync(target, bytes)
    if (owner) fchownSync(target, owner.uid, owner.gid)
    if (durable) await sync(target)
  } finally {
    closeSync(target)
  }
  onBytes?.(bytes.length)
  await nextTurn()
  return digestOf(bytes)
}

async function copyFile(
  from: string,
  to: string,
  buffer: Buffer,
  { owner, of, durable, signal, onBytes }: CopyOptions,
): Promise<Digest | null> {
  await using source = await openPlainFile(from).catch(vanished)
  if (source === null) return null
  const { mode, uid } = await source.stat()
  requireOwner(from, uid, of)
  const { O_WRONLY, O_CREAT, O_EXCL } = constants
  await using target = await open(to, O_WRONLY | O_CREAT | O_EXCL, mode & 0o777)
  const hash = createHash('sha256')
  let size = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await source.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) break
    const bytes = buffer.subarray(0, bytesRead)
    hash.update(bytes)
    await target.writeFile(bytes)
    size += bytesRead
    onBytes?.(bytesRead)
  }
  if (owner) await target.chown(owner.uid, owner.gid)
  if (durable) await target.sync()
  return { size, sha256: hash.digest('hex') }
}

async function cloneFile(
  from: string,
  to: string,
  { owner, of, durable }: CopyOptions,
): Promise<void> {
  const { COPYFILE_EXCL, COPYFILE_FICLONE, O_NOFOLLOW, O_RDONLY } = constants
  {
    await using source = await openPlainFile(from).catch(vanished)
    if (source === null) return
    requireOwner(from, (await source.stat()).uid, of)
    await copyBlocks(pathOf(source, from), to, COPYFILE_EXCL | COPYFILE_FICLONE)
  }
  if (!owner && !durable) return
  await using target = await open(to, O_RDONLY | O_NOFOLLOW)
  if (owner) await target.chown(owner.uid, owner.gid)
  if (durable) await target.sync()
}

/** Copies a file that was empty when it was listed. Data written to it since is in the WAL. */
function makeEmptyFile(
  from: string,
  to: string,
  { mode, uid }: Pick<Stats, 'mode' | 'uid'>,
  { owner, of }: CopyOptions,
): void {
  requireOwner(from, uid, of)
  const fd = openSync(to, 'wx', 0o600)
  try {
    if ((mode & 0o777) !== 0o600) fchmodSync(fd, mode & 0o777)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
}

/** Clones a file synchronously. With `share` no blocks are copied; gives `false` if the file system cannot share them. */
function cloneAtOnce(
  from: string,
  to: string,
  { owner, of }: CopyOptions,
  how: 'share' | 'copy',
): boolean {
  const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants
  const way = how === 'share' ? COPYFILE_FICLONE_FORCE : COPYFILE_FICLONE
  let fd: number
  try {
    fd = openPlainFileSync(from)
  } catch (error) {
    vanished(error as NodeJS.ErrnoException)
    return true
  }
  try {
    if (of !== null) requireOwner(from, fstatSync(fd).uid, of)
    copyFileSync(pathOf({ fd }, from), to, COPYFILE_EXCL | way)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (how === 'share' && cannotShare.has(code)) return false
    throw error
  } finally {
    closeSync(fd)
  }
  if (owner) lchownSync(to, owner.uid, owner.gid)
  return true
}

/**
 * The owner of a cluster or a backup. Root copies only that user's files, because the user may have put a link there to a
 * file that only root can read. `null` if we are not root, because then we cannot read such a file.
 */
export function sourceOwner(path: string): number | null {
  return process.geteuid?.() === 0 ? statSync(path).uid : null
}

function requireOwner(path: string, uid: number, of: number | null): void {
  if (of === null || uid === of) return
  const why = `${path} belongs to another user (uid ${uid}) than what it lies in (uid ${of}), and was not copied`
  throw notPermitted(path, path, `${why}; give it to that user, or remove it`)
}

function gone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return []
  throw error
}

function vanished(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
