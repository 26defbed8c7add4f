import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'

/** How a plain file is opened. */
export interface PlainFileOptions {
  /** Follow a symbolic link at the end of the path; `true` by default. */
  follow?: boolean | undefined
}

/** How a plain file is read. */
export interface PlainReadOptions extends PlainFileOptions {
  /** The longest file that is read, in bytes; 1 MiB by default. A longer file is refused. */
  limit?: number | undefined
}

/** What lies at the path is not a regular file, or is longer than allowed. */
export class NotPlainError extends Error {
  override readonly name = 'NotPlainError'
  readonly code = 'ERR_DURABLE_NOT_PLAIN'
  readonly path: string

  constructor(path: string, what: string) {
    super(`cannot read ${path}: it ${what}, and should be a small regular file; remove it`)
    this.path = path
  }
}

const mebibyte = 1024 * 1024

/**
 * Opens a file, which another user may have made, for reading, and gives its descriptor. The caller closes it.
 *
 * Never waits, whatever lies at the path: opening a FIFO to read blocks the whole process until somebody writes to it.
 * Throws errors of the system, and {@link NotPlainError} for anything but a regular file.
 */
export function openPlainFileSync(path: string, options: PlainFileOptions = {}): number {
  return openSized(path, options).fd
}

function openSized(path: string, options: PlainFileOptions): { fd: number; size: number } {
  // Opening a device may already do something, and anybody may make a link to one.
  if (options.follow !== false) requirePlain(statSync(path), path)
  const fd = openSync(path, flagsFor(options))
  try {
    const stats = fstatSync(fd)
    requirePlain(stats, path)
    return { fd, size: stats.size }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** As {@link openPlainFileSync}, for a file that is read piece by piece. */
export async function openPlainFile(
  path: string,
  options: PlainFileOptions = {},
): Promise<FileHandle> {
  if (options.follow !== false) requirePlain(await stat(path), path)
  const file = await open(path, flagsFor(options))
  try {
    requirePlain(await file.stat(), path)
    const handle: object = file
    // Under Yarn's Plug'n'Play, handles are Yarn's own and cannot be disposed of.
    if (!(Symbol.asyncDispose in handle)) {
      Object.assign(handle, { [Symbol.asyncDispose]: () => file.close() })
    }
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * The text of a small file that another user may have made. It reads synchronously, in microseconds; libuv's pool would take
 * ten times as long.
 *
 * Throws errors of the system, and {@link NotPlainError} for anything but a regular file of at most `limit` bytes.
 */
export function readPlainFile(path: string, options: PlainReadOptions = {}): string {
  const { limit = mebibyte } = options
  const { fd, size } = openSized(path, options)
  try {
    let bytes: Buffer = Buffer.allocUnsafe(Math.min(size, limit) + 1)
    let length = 0
    for (;;) {
      const count = readSync(fd, bytes, length, bytes.length - length, length)
      if (count === 0) return bytes.toString('utf8', 0, length)
      length += count
      if (length > limit) throw tooLong(path, limit)
      if (length === bytes.length) bytes = withMoreRoom(bytes, limit)
    }
  } finally {
    closeSync(fd)
  }
}

/**
 * The bytes of a small file that another user may have made. It is read in libuv's pool, because a network file system may be
 * slow. Rejects with the errors that {@link readPlainFile} throws.
 */
export async function readPlainBytes(
  path: string,
  options: PlainReadOptions = {},
): Promise<Buffer> {
  const { limit = mebibyte } = options
  await using file = await openPlainFile(path, options)
  const { size } = await file.stat()
  let bytes: Buffer = Buffer.allocUnsafe(Math.min(size, limit) + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
    if (bytesRead === 0) return bytes.subarray(0, length)
    length += bytesRead
    if (length > limit) throw tooLong(path, limit)
    if (length === bytes.length) bytes = withMoreRoom(bytes, limit)
  }
}

/** A larger copy of the buffer. The file has grown since its size was read, or its size is unknown, as in `/proc`. */
function withMoreRoom(bytes: Buffer, limit: number): Buffer {
  return Buffer.concat([bytes], Math.min(2 * bytes.length + 4096, limit + 1))
}

function flagsFor({ follow = true }: PlainFileOptions): number {
  const { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  return O_RDONLY | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW)
}

function requirePlain(stats: Stats, path: string): void {
  if (!stats.isFile()) throw new NotPlainError(path, `is ${kindOf(stats)}`)
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

function tooLong(path: string, limit: number): NotPlainError {
  return new NotPlainError(path, `has more than ${limit} bytes`)
}
