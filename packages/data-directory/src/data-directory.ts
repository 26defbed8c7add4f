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

/** The names of what lies in a data directory: PostgreSQL's own files, and the few that howdah adds. */
export class DataDirectory {
  /** The absolute path: for people, and for other processes. */
  readonly path: string
  /** Where our own calls find it. */
  readonly here: string

  /** Throws `ERR_CLUSTER_INVALID_PATH` for what no server could be given on its command line. */
  constructor(path: string, held?: Descriptor) {
    if (path === '') throw invalidPath(path, 'it is empty')
    if (path.includes('\0')) throw invalidPath(path, 'it contains a NUL byte')
    if (/[\r\n]/.test(path)) throw invalidPath(path, 'it contains a line break')
    // Node turns bytes that are not UTF-8 into U+FFFD when it reads arguments and directory entries.
    if (/\p{Surrogate}|\uFFFD/u.test(path)) throw invalidPath(path, 'it is not valid UTF-8')
    this.path = resolve(path)
    this.here = held === undefined ? this.path : pathOf(held, this.path)
  }

  /**
   * Whether there is something at one of its paths.
   *
   * Synchronous, as are all the small looks into it: each takes microseconds, and ten times that through libuv's pool.
   */
  async has(path: string): Promise<boolean> {
    return existsSync(path)
  }

  /** The same, found by what has it open, such as the change lock: whatever another user puts at its path meanwhile. */
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

  /** Stands while the cluster is being created or destroyed: what lies here is not a cluster, but a wreck. */
  get wreck(): string {
    return this.file('howdah.creating')
  }

  /** A directory, another each time, where initdb works before its files are brought in. */
  newStaging(): string {
    return this.file(`${staging}${randomBytes(6).toString('hex')}`)
  }

  /** Which server howdah has started: `@howdah/coordinate`'s record. */
  get record(): string {
    return this.file('howdah.run')
  }

  /** Says that the cluster is to be destroyed when its last user leaves. */
  get throwAway(): string {
    return this.file('howdah.throwaway')
  }

  /** Says that some of the cluster may not be on disk yet, for fsync has been off. */
  get unsynced(): string {
    return this.file('howdah.unsynced')
  }

  /** The superuser's password for TCP connections, made when TCP is first asked for. */
  get passwordFile(): string {
    return this.file('howdah.password')
  }

  /** With TLS: the certificate of the authority that clients trust, whose key nobody has. */
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
