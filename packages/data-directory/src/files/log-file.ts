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

/** A log with more bytes is renamed to `postmaster.log.1` when a server starts. */
const rotateAbove = 10 * 1024 * 1024

/** A log file that is open for a server. The caller closes it. */
interface LogFile extends Disposable {
  readonly fd: number
  /** Its length in bytes when it was opened. The output of the new server begins there. */
  readonly start: number
}

/**
 * Opens the log, which has mode 0600 and belongs to the server's user, for a server that is about to start. As root, only a
 * file that was just made here is given to the server's user.
 *
 * Throws `ERR_CLUSTER_START_FAILED` if something other than a log file is in its place.
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

/**
 * Opens the existing log; gives `null` if there is none that belongs to the server's user. It never waits for the reader of
 * a FIFO.
 */
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
  // The owner of the directory may have linked a file of another user here. We may remove the name, but not change the file.
  rmSync(logFile, { force: true })
  return null
}

function create(path: string, user: ServerUser | null): number {
  const fd = openSync(path, append | O_CREAT | O_EXCL, 0o600)
  if (user !== null) fchownSync(fd, user.uid, user.gid)
  return fd
}

/** The text that was written to the log since it was `from` bytes long; at most the last 64 KiB of it. */
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
