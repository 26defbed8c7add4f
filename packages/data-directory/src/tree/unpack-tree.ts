import { closeSync, ftruncateSync, writeSync } from 'node:fs'
import { setImmediate as others } from 'node:timers/promises'
import { type Archive, type ArchiveIndex, readArchiveIndex, readFrom } from './tree-archive.ts'
import { Ground } from './ground.ts'

/** How to unpack a tree. */
export interface UnpackOptions {
  /** If we are root: the user that the tree is given to. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
  /** Make files sparse: do not reserve room for the zeros at their ends. */
  readonly sparse: boolean
  /** Text to append to some files, by path. */
  readonly additions: ReadonlyMap<string, Buffer>
  /** Whether a file, by its path, is left out. */
  readonly leavesOut: (path: string) => boolean
  /** Called with the complete tree before it is handed over to its owner. */
  readonly finish: (root: string) => Promise<unknown>
}

/** How long the event loop may be blocked, in ms. */
const slice = 5
/** The size of a piece that is read at once, in bytes. */
const chunk = 1024 * 1024

/**
 * Unpacks an archive into an existing, empty directory: directories 0700, files 0600. Nothing is synced.
 *
 * A thousand small files are written faster by synchronous system calls than through a pool of threads; the event loop runs
 * in between. Throws `ArchiveDamagedError` if the archive is damaged, and the errors of writing.
 */
export async function unpackTree(
  archive: Archive,
  to: string,
  options: UnpackOptions,
): Promise<void> {
  const { index, start } = await readArchiveIndex(archive)
  using ground = Ground.at(to, options.owner)
  try {
    await fill(archive, ground, { index, start, ...options })
  } finally {
    // A half-finished tree is handed over, too, because the owner has to clean up.
    ground.handOver()
  }
}

async function fill(
  archive: Archive,
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
    // Content that fits into the buffer is read once for all files that have it.
    if (length <= chunk) readFrom(archive, buffer.subarray(0, length), position)
    for (const file of files) {
      if (leavesOut(file.path)) continue
      const fd = ground.create(file.path)
      try {
        for (let done = 0; done < length; done += chunk) {
          const bytes = buffer.subarray(0, Math.min(chunk, length - done))
          if (length > chunk) readFrom(archive, bytes, position + done)
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
