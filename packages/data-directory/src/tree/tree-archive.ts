import { createHash } from 'node:crypto'
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs'
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
 * Packs a tree of plain files into one file, which is read faster than a thousand files. Equal content is stored once,
 * because the databases of a new cluster are copies of each other.
 *
 * Of the files, those are packed for which `isWanted` holds. Only files of `owner` are packed, and no links, because as root we read in a directory in which another user may write. A
 * thousand small files are read faster by synchronous system calls; the event loop runs in between.
 */
export async function packTree(
  root: string,
  about: ArchiveIndex['about'],
  to: FileHandle,
  owner: number | undefined,
  isWanted: (path: string) => boolean = () => true,
): Promise<void> {
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
      const whole = readPlainFile(join(root, path), owner)
      contents.add(withoutZeros(whole), { path, size: whole.length })
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
  const head = [magic, length, sha256(text), text]
  await to.writeFile(Buffer.concat([...head, ...all.map(({ bytes }) => bytes)]))
}

/** Different contents, with the files that have them. */
class Contents {
  readonly all: { readonly bytes: Buffer; readonly files: ArchivedFile[] }[] = []
  readonly #byLength = new Map<number, typeof this.all>()

  add(bytes: Buffer, file: ArchivedFile): void {
    const alike = this.#byLength.get(bytes.length) ?? []
    this.#byLength.set(bytes.length, alike)
    const known = alike.find((one) => one.bytes.equals(bytes))
    if (known !== undefined) return void known.files.push(file)
    const content = { bytes, files: [file] }
    this.all.push(content)
    alike.push(content)
  }
}

/** Reads an archive's index, and the offset of its contents. Throws {@link ArchiveDamagedError}. */
export async function readArchiveIndex(
  archive: FileHandle,
): Promise<{ index: ArchiveIndex; start: number }> {
  const header = await readFully(archive, headerLength, 0)
  if (!header.subarray(0, magic.length).equals(magic)) throw new ArchiveDamagedError('not one')
  const length = header.readUInt32LE(magic.length)
  const start = headerLength + length
  const { size } = await archive.stat()
  if (start > size) throw new ArchiveDamagedError('cut short')
  const text = await readFully(archive, length, headerLength)
  if (!sha256(text).equals(header.subarray(magic.length + 4)))
    throw new ArchiveDamagedError('its index is damaged')
  const index = JSON.parse(text.toString()) as ArchiveIndex
  const end = index.contents.reduce((sum, content) => sum + content.length, start)
  if (end !== size) throw new ArchiveDamagedError(`${size} bytes long, and not ${end}`)
  return { index, start }
}

async function readFully(archive: FileHandle, length: number, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await archive.read(Buffer.alloc(length), 0, length, position)
  if (bytesRead < length) throw new ArchiveDamagedError('cut short')
  return buffer
}

function readPlainFile(path: string, owner: number | undefined): Buffer {
  const fd = openPlainFileSync(path, { follow: false })
  try {
    const stats = fstatSync(fd)
    if (stats.nlink !== 1 || (owner !== undefined && stats.uid !== owner)) {
      throw new Error(`${path} is not a plain file of user ${owner ?? 'unknown'}`)
    }
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
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
