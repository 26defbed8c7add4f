import { createHash } from 'node:crypto'
import { closeSync, constants, copyFileSync, fstatSync, lchownSync, statSync } from 'node:fs'
import { copyFile as copyBlocks, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { syncDirectory } from '@howdah/durable'
import { openPlainFile, openPlainFileSync } from '@howdah/lock'
import { Ground, open, type Owner, pathOf, notPermitted } from '@howdah/data-directory'

/** A file of a tree, below its root. */
interface TreeFile {
  readonly path: string
  /** In bytes, when it was listed. */
  readonly size: number
}

/** What there is in a tree. */
export interface Tree {
  /** Each after those above it; without the root. */
  readonly directories: readonly string[]
  readonly files: readonly TreeFile[]
}

/** A file that was copied, as it was then. */
export interface CopiedFile {
  readonly path: string
  /** In bytes. */
  readonly size: number
  readonly sha256: string
}

/** What becomes of something in a tree: `empty` is a directory without what is in it. */
export type Treatment = 'copy' | 'empty' | 'skip'

/** Lists a tree. What vanishes meanwhile is passed over; links to files count as files, other links are left out. */
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
        if (found?.isFile() === true) files.push({ path, size: found.size })
      }
    }
  }
  await visit('')
  return { directories, files }
}

/** How a tree is copied. */
export interface CopyOptions {
  /** Whose the copy is. */
  readonly owner?: Owner | null | undefined
  /** As root: the uid whose files are copied, see {@link sourceOwner}. Those of others are refused. */
  readonly of: number | null
  /** Sync each file and directory, so that the copy survives a power failure. */
  readonly durable: boolean
  /** Copied after all others. */
  readonly last?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Told of bytes, as they are copied. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** In bytes: a file up to this length is cloned in microseconds, and takes ten times that through libuv's pool. */
const smallest = 65_536
/** How many such files are cloned before others have their turn. */
const smallAtOnce = 16
/** How many files are copied at once: as many as libuv has threads. */
const concurrency = 4
/** In bytes. */
const chunk = 1024 * 1024

/** Copies what was listed into an existing, empty directory. Files that have vanished are left out. */
export async function copyTree(
  from: string,
  to: string,
  tree: Tree,
  options: CopyOptions,
): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = []
  await eachFile(to, tree, options, (ground) => {
    const buffer = Buffer.allocUnsafe(chunk)
    return async ({ path }) => {
      const result = await copyFile(join(from, path), ground.file(path), buffer, options)
      if (result !== null) copied.push({ path, ...result })
    }
  })
  return copied.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/**
 * Copies as {@link copyTree} does, without looking at what is in the files, so that the copy shares its blocks with the
 * original if the file system can do that, as Btrfs, XFS, bcachefs and APFS can.
 */
export async function cloneTree(
  from: string,
  to: string,
  tree: Tree,
  options: CopyOptions,
): Promise<void> {
  let small = 0
  await eachFile(to, tree, options, (ground) => async ({ path, size }) => {
    options.signal?.throwIfAborted()
    if (size > smallest || options.durable) {
      await cloneFile(join(from, path), ground.file(path), options)
    } else {
      cloneSmallFile(join(from, path), ground.file(path), options)
      small += 1
      if (small % smallAtOnce === 0) await nextTurn()
    }
    options.onBytes?.(size)
  })
}

/** Makes the directories and has the files copied, some at once, each by one of the copiers that `makeCopier` makes. */
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
        // The others need not go on.
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

/** A file's size and checksum. */
export async function digestFile(
  path: string,
  signal?: AbortSignal,
): Promise<Omit<CopiedFile, 'path'>> {
  await using file = await openPlainFile(path)
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(chunk)
  let size = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, chunk, null)
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

async function copyFile(
  from: string,
  to: string,
  buffer: Buffer,
  { owner, of, durable, signal, onBytes }: CopyOptions,
): Promise<Omit<CopiedFile, 'path'> | null> {
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

function cloneSmallFile(from: string, to: string, { owner, of }: CopyOptions): void {
  const { COPYFILE_EXCL, COPYFILE_FICLONE } = constants
  let fd: number
  try {
    fd = openPlainFileSync(from)
  } catch (error) {
    vanished(error as NodeJS.ErrnoException)
    return
  }
  try {
    requireOwner(from, fstatSync(fd).uid, of)
    copyFileSync(pathOf({ fd }, from), to, COPYFILE_EXCL | COPYFILE_FICLONE)
  } finally {
    closeSync(fd)
  }
  if (owner) lchownSync(to, owner.uid, owner.gid)
}

/**
 * The owner of a cluster or a backup, whose files root copies, and no others: its owner may have put a link there to what
 * only root can read. `null` if we are not root: then we can read nothing else.
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
