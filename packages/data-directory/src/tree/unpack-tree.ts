import { closeSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { setImmediate as others } from 'node:timers/promises'
import { ArchiveDamagedError, type ArchiveIndex, readArchiveIndex } from './tree-archive.ts'
import { Ground } from './ground.ts'

/** How a tree is unpacked. */
export interface UnpackOptions {
  /** As root: the user that the tree is given to. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
  /** Leave the zeros at the end of a file to the file system, rather than have room for them set aside. */
  readonly sparse: boolean
  /** What follows the content of the archive in some files, by path. */
  readonly additions: ReadonlyMap<string, Buffer>
  /** Files that are not wanted, by path. */
  readonly leavesOut: (path: string) => boolean
  /** Does something with the whole tree before it is handed over to its owner. */
  readonly finish: (root: string) => Promise<unknown>
}

/** In ms: how long the event loop may have to wait for us. */
const slice = 5
/** In bytes. */
const chunk = 1024 * 1024

/**
 * Unpacks an archive into an existing, empty directory: directories 0700, files 0600. Nothing is synced.
 *
 * A thousand small files are written sooner by plain system calls than by a pool of threads that has to be told of each;
 * in between, others get their turn. Throws {@link ArchiveDamagedError} for an archive that is, and what writing throws.
 */
export async function unpackTree(
  archive: FileHandle,
  to: string,
  options: UnpackOptions,
): Promise<void> {
  const { index, start } = await readArchiveIndex(archive)
  using ground = Ground.at(to, options.owner)
  try {
    await fill(archive, ground, { index, start, ...options })
  } finally {
    // Also what is half done: the caller that goes on from here is its owner.
    ground.handOver()
  }
}

async function fill(
  archive: FileHandle,
  ground: Ground,
  {
    index,
    start,
    sparse,
    additions,
    leavesOut,
    finish,
  }: UnpackOptions & { index: ArchiveIndex; start: number },
): Promise<void> {
  const buffer = Buffer.allocUnsafe(chunk)
  let since = performance.now()
  const breathe = async () => {
    if (performance.now() - since < slice) return
    await others()
    since = performance.now()
  }
  for (const directory of index.directories) ground.makeDirectory(directory)
  let position = start
  for (const { length, files } of index.contents) {
    // What fits is read once for all who have it.
    if (length <= chunk) read(archive, buffer, length, position)
    for (const file of files) {
      if (leavesOut(file.path)) continue
      const fd = ground.create(file.path)
      try {
        for (let done = 0; done < length; done += chunk) {
          const bytes = buffer.subarray(0, Math.min(chunk, length - done))
          if (length > chunk) read(archive, buffer, bytes.length, position + done)
          writeFully(fd, bytes)
          await breathe()
        }
        extend(fd, length, file.size, sparse)
        const more = additions.get(file.path)
        if (more !== undefined) writeSync(fd, more, 0, more.length, file.size)
      } finally {
        closeSync(fd)
      }
    }
    position += length
  }
  await finish(ground.root)
}

function read(archive: FileHandle, buffer: Buffer, length: number, position: number): void {
  for (let done = 0; done < length;) {
    const bytes = readSync(archive.fd, buffer, done, length - done, position + done)
    if (bytes === 0) throw new ArchiveDamagedError('cut short')
    done += bytes
  }
}

function writeFully(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
}

const zeros = Buffer.alloc(chunk)

function extend(fd: number, from: number, to: number, sparse: boolean): void {
  if (from === to) return
  if (sparse) return ftruncateSync(fd, to)
  for (let done = from; done < to;) {
    const size = Math.min(zeros.length, to - done)
    writeFully(fd, zeros.subarray(0, size))
    done += size
  }
}
