import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  openSync,
  type Stats,
} from 'node:fs'
import { copyFile as copyBlocks } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { open, pathOf } from '@howdah/data-directory'
import { openPlainFile, openPlainFileSync } from '@howdah/lock'
import { smallest } from '../directory/digest-file.ts'
import { copyFiles, type CopyOptions } from './copy-files.ts'
import type { Tree } from './list-tree.ts'
import { requireOwner } from './source-owner.ts'
import { vanished } from './vanished.ts'

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

/**
 * Copies like `copyTree`, but without reading the files. So the copy shares blocks with the original if the file system
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
  await copyFiles(to, tree, options, (ground) => async ({ path, size, stats }) => {
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
