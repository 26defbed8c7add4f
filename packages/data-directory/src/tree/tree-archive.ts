import { createHash } from 'node:crypto'
import { closeSync, fstatSync, readdirSync, readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as others } from 'node:timers/promises'
import { openPlainFileSync } from '@howdah/lock'

/** A file in an archive, below the root of its tree. */
interface ArchivedFile {
  readonly path: string
  /** In bytes. A file that is longer than its content ends in zeros. */
  readonly size: number
}

/** Content that is stored once, and all the files that have it. */
interface Content {
  /** In bytes, without the zeros at its end. */
  readonly length: number
  readonly files: readonly ArchivedFile[]
}

/** The index of an archive, which is before the contents. */
export interface ArchiveIndex {
  /** A description of the archive by the packer. */
  readonly about: Readonly<Record<string, string>>
  /** The directories, each after its parents, without the root. */
  readonly directories: readonly string[]
  /** The contents, in their order in the archive. */
  readonly contents: readonly Content[]
}

/** An archive: an open file, or its content. */
export type Archive = FileHandle | Buffer

/** An archive is cut short or damaged, or the file is no archive. */
export class ArchiveDamagedError extends Error {
  override readonly name = 'ArchiveDamagedError'
}

const magic = Buffer.from('howdah tree 1\n\0\0')
const digestLength = 32
/** The magic, the length of the index, and its SHA-256. */
const headerLength = magic.length + 4 + digestLength

/** How long the event loop may be blocked, in ms. */
const slice = 5

/**
 * Packs a tree of plain files into one file, which is read faster than a thousand files, and gives its content. Equal content
 * is stored once, because the databases of a new cluster are copies of each other.
 *
 * Of the files, those are packed for which `isWanted` holds. Only files of `owner` are packed, and no links, because as root we
 * read in a directory in which another user may write. A thousand small files are read faster by synchronous system calls; the
 * event loop runs in between.
 */
export async function packTree(
  root: string,
  about: ArchiveIndex['about'],
  owner: number | undefined,
  isWanted: (path: string) => boolean = () => true,
): Promise<Buffer> {
  const directories: string[] = []
  const contents = new Contents()
  let since = performance.now()
  const visit = async (above: string): Promise<void> => {
    for (const entry of readdirSync(join(root, above), { withFileTypes: true })) {
      const path = join(above, entry.name)
      if (entry.isDirectory()) {
        directories.push(path)
        await visit(path)
        continue
      }
      if (!isWanted(path)) continue
      contents.add(join(root, path), path, owner)
      if (performance.now() - since < slice) continue
      await others()
      since = performance.now()
    }
  }
  await visit('')
  const { all } = contents
  const index: ArchiveIndex = {
    about,
    directories,
    contents: all.map(({ bytes, files }) => ({ length: bytes.length, files })),
  }
  const text = Buffer.from(JSON.stringify(index))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([magic, length, sha256(text), text, ...all.map(({ bytes }) => bytes)])
}

/** Different contents, with the files that have them. */
class Contents {
  readonly all: { readonly bytes: Buffer; readonly files: ArchivedFile[] }[] = []
  readonly #byLength = new Map<number, typeof this.all>()
  /** Most files are read into this, because memory for each of them would cost more than reading. */
  readonly #scratch = Buffer.allocUnsafe(1024 * 1024)

  /** Adds a plain file of `owner`, by the path at which it is now, and by its path in the tree. */
  add(from: string, path: string, owner: number | undefined): void {
    const fd = openPlainFileSync(from, { follow: false })
    try {
      const { nlink, uid, size } = fstatSync(fd)
      if (nlink !== 1 || (owner !== undefined && uid !== owner)) {
        throw new Error(`${from} is not a plain file of user ${owner ?? 'unknown'}`)
      }
      this.#addContent(this.#read(fd, size), { path, size })
    } finally {
      closeSync(fd)
    }
  }

  #addContent(bytes: Buffer, file: ArchivedFile): void {
    const alike = this.#byLength.get(bytes.length) ?? []
    this.#byLength.set(bytes.length, alike)
    const known = alike.find((one) => one.bytes.equals(bytes))
    if (known !== undefined) return void known.files.push(file)
    const content = { bytes: Buffer.from(bytes), files: [file] }
    this.all.push(content)
    alike.push(content)
  }

  /** The content of a file without the zeros at its end, in memory that the next call uses again. */
  #read(fd: number, size: number): Buffer {
    const { length } = this.#scratch
    for (let end = size; end > 0;) {
      const start = Math.floor((end - 1) / length) * length
      const piece = withoutZeros(readFrom({ fd }, this.#scratch.subarray(0, end - start), start))
      if (start === 0) return piece
      if (piece.length > 0) return readFrom({ fd }, Buffer.alloc(start + piece.length), 0)
      end = start
    }
    return Buffer.alloc(0)
  }
}

/** Reads an archive's index, and the offset of its contents. Throws {@link ArchiveDamagedError}. */
export async function readArchiveIndex(
  archive: Archive,
): Promise<{ index: ArchiveIndex; start: number }> {
  const header = readFrom(archive, Buffer.alloc(headerLength), 0)
  if (!header.subarray(0, magic.length).equals(magic)) throw new ArchiveDamagedError('not one')
  const length = header.readUInt32LE(magic.length)
  const start = headerLength + length
  const size = Buffer.isBuffer(archive) ? archive.length : (await archive.stat()).size
  if (start > size) throw new ArchiveDamagedError('cut short')
  const text = readFrom(archive, Buffer.alloc(length), headerLength)
  if (!sha256(text).equals(header.subarray(magic.length + 4)))
    throw new ArchiveDamagedError('its index is damaged')
  const index = JSON.parse(text.toString()) as ArchiveIndex
  const end = index.contents.reduce((sum, content) => sum + content.length, start)
  if (end !== size) throw new ArchiveDamagedError(`${size} bytes long, and not ${end}`)
  return { index, start }
}

/** Fills a buffer from a position of an archive, and gives it. Throws {@link ArchiveDamagedError} if the archive ends before. */
export function readFrom(
  archive: Buffer | { readonly fd: number },
  buffer: Buffer,
  position: number,
): Buffer {
  for (let done = 0; done < buffer.length;) {
    const bytes = Buffer.isBuffer(archive)
      ? archive.copy(buffer, done, position + done)
      : readSync(archive.fd, buffer, done, buffer.length - done, position + done)
    if (bytes === 0) throw new ArchiveDamagedError('cut short')
    done += bytes
  }
  return buffer
}

/** A page of PostgreSQL. */
const zeros = Buffer.alloc(8192)

function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end >= zeros.length && bytes.subarray(end - zeros.length, end).equals(zeros))
    end -= zeros.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
