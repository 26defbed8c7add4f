import { createHash } from 'node:crypto'
import { type FileHandle, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openPlainFile } from '@howdah/lock'

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

/**
 * Packs a tree of plain files into one file, which is read faster than a thousand files. Equal content is stored once,
 * because the databases of a new cluster are copies of each other.
 *
 * Only files of `owner` are packed, and no links, because as root we read in a directory in which another user may write.
 */
export async function packTree(
  root: string,
  about: ArchiveIndex['about'],
  to: FileHandle,
  owner: number | undefined,
): Promise<void> {
  const directories: string[] = []
  const contents = new Map<string, { bytes: Buffer; files: ArchivedFile[] }>()
  const visit = async (above: string): Promise<void> => {
    for (const entry of await readdir(join(root, above), { withFileTypes: true })) {
      const path = join(above, entry.name)
      if (entry.isDirectory()) {
        directories.push(path)
        await visit(path)
        continue
      }
      const whole = await readPlainFile(join(root, path), owner)
      const bytes = withoutZeros(whole)
      const key = createHash('sha256').update(bytes).digest('hex')
      const content = contents.get(key) ?? { bytes, files: [] }
      contents.set(key, content)
      content.files.push({ path, size: whole.length })
    }
  }
  await visit('')
  const all = [...contents.values()]
  const index: ArchiveIndex = {
    about,
    directories,
    contents: all.map(({ bytes, files }) => ({ length: bytes.length, files })),
  }
  const text = Buffer.from(JSON.stringify(index))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  await to.writeFile(Buffer.concat([magic, length, sha256(text), text]))
  for (const { bytes } of all) await to.writeFile(bytes)
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

async function readPlainFile(path: string, owner: number | undefined): Promise<Buffer> {
  await using file = await openPlainFile(path, { follow: false })
  const stats = await file.stat()
  if (stats.nlink !== 1 || (owner !== undefined && stats.uid !== owner)) {
    throw new Error(`${path} is not a plain file of user ${owner ?? 'unknown'}`)
  }
  return await file.readFile()
}

function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, end)
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
