import {
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  closeSync,
  renameSync,
} from 'node:fs'
import type { DataDirectory } from './data-directory.ts'
import type { ServerUser } from './server-user.ts'
import { open } from './open-file.ts'

/** In bytes: a log that is longer when a server starts is put aside as `postmaster.log.1`. */
const rotateAbove = 10 * 1024 * 1024

/** A log that is open for a server to write to. Whoever opens it closes it. */
export interface LogFile extends Disposable {
  readonly fd: number
  /** How long it was, in bytes, when it was opened: what a server writes comes after. */
  readonly start: number
}

/** Opens the log for a server that is about to start, mode 0600 and the server's own. */
export function openLog(directory: DataDirectory, user: ServerUser | null): LogFile {
  let fd = openForAppending(directory.logFile)
  if (fstatSync(fd).size > rotateAbove) {
    closeSync(fd)
    renameSync(directory.logFile, `${directory.logFile}.1`)
    fd = openForAppending(directory.logFile)
  }
  fchmodSync(fd, 0o600)
  if (user !== null) fchownSync(fd, user.uid, user.gid)
  return { fd, start: fstatSync(fd).size, [Symbol.dispose]: () => closeSync(fd) }
}

function openForAppending(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
}

/** What has been written to the log since it was `from` bytes long; its last 64 KiB at the most. */
export async function readLog(directory: DataDirectory, from: number): Promise<string> {
  const limit = 64 * 1024
  await using file = await open(directory.logFile, 'r').catch(() => null)
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
