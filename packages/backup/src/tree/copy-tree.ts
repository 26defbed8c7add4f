import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsync,
  openSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { open } from '@howdah/data-directory'
import { openPlainFile, openPlainFileSync } from '@howdah/lock'
import {
  type Digest,
  digestOf,
  readSmall,
  restOfSmall,
  smallest,
} from '../directory/digest-file.ts'
import { copyFiles, type CopyOptions } from './copy-files.ts'
import type { Tree } from './list-tree.ts'
import { requireOwner } from './source-owner.ts'
import { vanished } from './vanished.ts'

/** A copied file. */
export interface CopiedFile extends Digest {
  readonly path: string
}

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
  await copyFiles(to, tree, options, (ground) => {
    const buffer = Buffer.allocUnsafe(chunk)
    return async ({ path, size }) => {
      const copy = size <= smallest ? copySmall : copyFile
      const result = await copy(join(from, path), ground.file(path), buffer, options)
      if (result !== null) copied.push({ path, ...result })
    }
  })
  return copied.toSorted((one, other) => (one.path < other.path ? -1 : 1))
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
  let bytes: Buffer | null
  let mode: number
  try {
    const stats = fstatSync(source)
    requireOwner(from, stats.uid, of)
    mode = stats.mode & 0o777
    bytes = stats.size > smallest ? null : readSmall(source, buffer)
  } finally {
    closeSync(source)
  }
  if (bytes === null) return await copyFile(from, to, buffer, options)
  const target = openSync(to, 'wx', mode)
  try {
    writeFileSync(target, bytes)
    if (owner) fchownSync(target, owner.uid, owner.gid)
    if (durable) await sync(target)
  } finally {
    closeSync(target)
  }
  onBytes?.(bytes.length)
  await restOfSmall()
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
