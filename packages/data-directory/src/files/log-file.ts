import {
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  closeSync,
  lstatSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { openPlainFile } from '@howdah/durable'
import type { DataDirectory } from '../data-directory.ts'
import { startFailed } from '../errors.ts'
import { HeldDirectory } from '../tree/held-directory.ts'
import type { ServerUser } from '../user/server-user.ts'

/** In bytes: a log that is longer when a server starts is put aside as `postmaster.log.1`. */
const rotateAbove = 10 * 1024 * 1024

/** A log that is open for a server to write to. The caller closes it. */
interface LogFile extends Disposable {
  readonly fd: number
  /** How long it was, in bytes, when it was opened: what a server writes comes after. */
  readonly start: number
}

/**
 * Opens the log for a server that is about to start, mode 0600 and the server's own. As root, nothing is given to the
 * server's user but a file that was made here just now.
 *
 * Throws `ERR_CLUSTER_START_FAILED` if there is something else in its place.
 */
export function openLog(named: DataDirectory, user: ServerUser | null): LogFile {
  using held = HeldDirectory.follow(named.here)
  const directory = named.by(held)
  if (user !== null && fstatSync(held.fd).uid !== user.uid) {
    throw startFailed(named.path, 'it was replaced meanwhile; try again', '')
  }
  let fd = openForAppending(directory, user)
  if (fstatSync(fd).size > rotateAbove) {
    closeSync(fd)
    renameSync(directory.logFile, `${directory.logFile}.1`)
    fd = openForAppending(directory, user)
  }
  fchmodSync(fd, 0o600)
  return { fd, start: fstatSync(fd).size, [Symbol.dispose]: () => closeSync(fd) }
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
const append = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK

function openForAppending(directory: DataDirectory, user: ServerUser | null): number {
  return openExisting(directory, user) ?? create(directory.logFile, user)
}

/** The log that is there, or `null` if there is none that is the server's. Never waits for the reader of a FIFO. */
function openExisting(directory: DataDirectory, user: ServerUser | null): number | null {
  const { logFile } = directory
  const found = lstatSync(logFile, { throwIfNoEntry: false })
  if (found === undefined) return null
  if (!found.isFile()) {
    const why = `${logFile}, where its log is to be, is not a plain file; remove it`
    throw startFailed(directory.path, why, '')
  }
  const fd = openSync(logFile, append)
  const { uid, nlink } = fstatSync(fd)
  if (nlink === 1 && (user === null || uid === user.uid)) return fd
  closeSync(fd)
  // Its owner may have linked another's file here. Its name is ours; the file is not.
  rmSync(logFile, { force: true })
  return null
}

function create(path: string, user: ServerUser | null): number {
  const fd = openSync(path, append | O_CREAT | O_EXCL, 0o600)
  if (user !== null) fchownSync(fd, user.uid, user.gid)
  return fd
}

/** What has been written to the log since it was `from` bytes long; its last 64 KiB at most. */
export async function readLog(directory: DataDirectory, from: number): Promise<string> {
  const limit = 64 * 1024
  await using file = await openPlainFile(directory.logFile).catch(() => null)
  if (file === null) return ''
  const { size } = await file.stat()
  const start = Math.max(from, size - limit)
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(Math.max(0, size - start)),
    0,
    null,
    start,
  )
  return buffer.toString('utf8', 0, bytesRead)
}
