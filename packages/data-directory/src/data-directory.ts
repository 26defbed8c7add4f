import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { invalidPath } from './errors.ts'
import { type Descriptor, pathOf } from './tree/held-directory.ts'

const staging = 'howdah.initdb-'

/** Whether a path is one of {@link DataDirectory.newStaging}. */
export function isStaging(path: string): boolean {
  return basename(path).startsWith(staging)
}

/** The paths of the files in a data directory: PostgreSQL's own files, and the few that howdah adds. */
export class DataDirectory {
  /** The absolute path: for people, and for other processes. */
  readonly path: string
  /** The path by which our own calls reach it. */
  readonly here: string

  /** Throws `ERR_CLUSTER_INVALID_PATH` if the path cannot be passed to a server on its command line. */
  constructor(path: string, held?: Descriptor) {
    if (path === '') throw invalidPath(path, 'it is empty')
    if (path.includes('\0')) throw invalidPath(path, 'it contains a NUL byte')
    if (/[\r\n]/.test(path)) throw invalidPath(path, 'it contains a line break')
    // When Node reads arguments and directory entries, it turns bytes that are not UTF-8 into U+FFFD.
    if (/\p{Surrogate}|\uFFFD/u.test(path)) throw invalidPath(path, 'it is not valid UTF-8')
    this.path = resolve(path)
    this.here = held === undefined ? this.path : pathOf(held, this.path)
  }

  /**
   * Whether there is something at a path in it.
   *
   * It is synchronous, like all small looks into the directory: each takes microseconds, and ten times as long through
   * libuv's pool.
   */
  async has(path: string): Promise<boolean> {
    return existsSync(path)
  }

  /**
   * The same directory, reached by an open descriptor such as that of the change lock, whatever another user puts at its
   * path meanwhile.
   */
  by(held: Descriptor): DataDirectory {
    return new DataDirectory(this.path, held)
  }

  /** A path inside it. */
  file(...names: string[]): string {
    return join(this.here, ...names)
  }

  /** The file that makes the directory a cluster; its flock is the *use* lock. */
  get versionFile(): string {
    return this.file('PG_VERSION')
  }

  /** Written by the server while it runs. */
  get pidFile(): string {
    return this.file('postmaster.pid')
  }

  /** Where servers that howdah starts write their log. */
  get logFile(): string {
    return this.file('postmaster.log')
  }

  /** Howdah's mark of creation: the superuser, and what made the cluster. */
  get mark(): string {
    return this.file('howdah.json')
  }

  /** Exists while the cluster is being created or destroyed. A directory with this file is not a cluster, but a wreck. */
  get wreck(): string {
    return this.file('howdah.creating')
  }

  /** A new path for the directory in which initdb works before its files are moved in. */
  newStaging(): string {
    return this.file(`${staging}${randomBytes(6).toString('hex')}`)
  }

  /** The record of `@howdah/coordinate`, which names the server that howdah has started. */
  get record(): string {
    return this.file('howdah.run')
  }

  /** If this file exists, the cluster is destroyed when its last user leaves. */
  get throwAway(): string {
    return this.file('howdah.throwaway')
  }

  /** If this file exists, a part of the cluster may not be on disk yet, because fsync was off. */
  get unsynced(): string {
    return this.file('howdah.unsynced')
  }

  /** The superuser's password for TCP connections. It is made at the first start with TCP. */
  get passwordFile(): string {
    return this.file('howdah.password')
  }

  /** With TLS: the certificate of the authority that clients trust. The authority's key is not kept. */
  get authorityFile(): string {
    return this.file('howdah.ca.crt')
  }

  /** With TLS: the server's certificate. */
  get certificateFile(): string {
    return this.file('howdah.crt')
  }

  /** With TLS: the key of the server's certificate. */
  get keyFile(): string {
    return this.file('howdah.key')
  }
}
