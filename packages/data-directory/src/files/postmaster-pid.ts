import { closeSync, fstatSync, readSync } from 'node:fs'
import { openPlainFileSync } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { notPermitted, unknownStatus } from '../errors.ts'
import { unreadable } from './unreadable.ts'

/**
 * The content of a server's `postmaster.pid`, line by line.
 *
 * Source: `src/include/utils/pidfile.h` of PostgreSQL. A starting server has written only the first lines.
 */
export interface PostmasterPid {
  readonly pid: number
  readonly dataDir: string
  /** By the wall clock, which may be set, so it is only for people. */
  readonly startedAt: Date
  readonly port: number | null
  /** The first directory with a socket, relative to the data directory; `null` if there is none. */
  readonly socketDirectory: string | null
  /** The first address that the server listens on; `null` without TCP. */
  readonly listenAddress: string | null
  /** The segment of System V shared memory by which PostgreSQL tells whether the data directory is in use. */
  readonly sharedMemory: { readonly key: number; readonly id: number } | null
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | null
  /** The inode of the file. Every server makes a new file. */
  readonly inode: bigint
}

/** A `postmaster.pid` that names no process: it is empty, as after a power failure, or was not written by a server. */
export class NamelessPidFile {
  /** Why it names no process. */
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

/**
 * Reads `postmaster.pid`: `null` when there is none.
 *
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if no server wrote the file, and `ERR_CLUSTER_PERMISSION` if this user may not read it.
 */
export async function readPostmasterPid(directory: DataDirectory): Promise<PostmasterPid | null> {
  const found = await lookAtPidFile(directory)
  if (!(found instanceof NamelessPidFile)) return found
  throw unknownStatus(
    directory.path,
    `${directory.pidFile} ${found.why} and so names no process; when you are sure that no server runs there, remove it`,
  )
}

/** Reads `postmaster.pid`, whatever its content is. Throws as {@link readPostmasterPid} does if the file cannot be read. */
export async function lookAtPidFile(
  directory: DataDirectory,
): Promise<PostmasterPid | NamelessPidFile | null> {
  try {
    let found = readPidFile(directory)
    // A starting server may have made the file but not written it yet.
    for (let tries = 0; found.content === '' && tries < 20; tries += 1) {
      await new Promise((done) => setTimeout(done, 5))
      found = readPidFile(directory)
    }
    return parsePostmasterPid(found)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code === 'EACCES' || code === 'EPERM') {
      throw notPermitted(
        directory.path,
        directory.pidFile,
        `may not read ${directory.pidFile}; run as its owner`,
        { cause: error },
      )
    }
    throw unreadable(directory.path, directory.pidFile, error)
  }
}

interface PidFile {
  readonly content: string
  readonly inode: bigint
}

function readPidFile({ pidFile }: DataDirectory): PidFile {
  const fd = openPlainFileSync(pidFile)
  try {
    const { ino } = fstatSync(fd, { bigint: true })
    // The file has one or two paths and some numbers.
    const bytes = Buffer.alloc(16 * 1024)
    const length = readSync(fd, bytes, 0, bytes.length, 0)
    return { content: bytes.toString('utf8', 0, length), inode: ino }
  } finally {
    closeSync(fd)
  }
}

function parsePostmasterPid({ content, ...file }: PidFile): PostmasterPid | NamelessPidFile {
  const [
    pid = '',
    dataDir = '',
    start = '',
    port = '',
    socket = '',
    address = '',
    memory = '',
    status = '',
  ] = content.split('\n').map((line) => line.trim())
  // Single-user mode writes its pid with a minus sign.
  if (!/^-?[1-9]\d{0,9}$/.test(pid)) {
    return new NamelessPidFile(
      content === '' ? 'is empty' : `begins with ${JSON.stringify(content.slice(0, 40))}`,
    )
  }
  return {
    ...file,
    pid: Math.abs(Number(pid)),
    dataDir,
    startedAt: new Date(Number(start) * 1000),
    port: port === '' ? null : Number(port),
    socketDirectory: socket === '' ? null : socket,
    listenAddress: address === '' ? null : address,
    sharedMemory: parseSharedMemory(memory),
    status:
      status === 'ready' || status === 'starting' || status === 'stopping' || status === 'standby'
        ? status
        : null,
  }
}

function parseSharedMemory(line: string): PostmasterPid['sharedMemory'] {
  const [, key, id] = /^(\d+)\s+(\d+)$/.exec(line) ?? []
  return key === undefined || id === undefined ? null : { key: Number(key), id: Number(id) }
}
