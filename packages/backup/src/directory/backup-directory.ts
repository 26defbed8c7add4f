import { randomBytes } from 'node:crypto'
import { fchmodSync, fstatSync, readdirSync, statSync } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { errno, syncDirectory } from '@howdah/durable'
import { acquire, type Lock, makeDirectories, readPlainFile, type WaitOptions } from '@howdah/lock'
import { backupMark, refuseNested } from '@howdah/known-clusters'
import {
  type Descriptor,
  HeldDirectory,
  pathOf,
  removeTree,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import type { Backup } from '../backup.ts'
import { describe, readRecord } from './backup-record.ts'
import { unusableDirectory, noBackup } from '../errors.ts'

/** The paths of the files in a directory with backups of one cluster. */
export class BackupDirectory {
  /** Absolute: for people, and for other processes. */
  readonly path: string
  readonly #root: string

  /** Throws `ERR_CLUSTER_BACKUP_DIRECTORY` if the path is invalid. */
  constructor(path: string, held?: Descriptor) {
    if (path === '' || /[\0\r\n]|\p{Surrogate}|\uFFFD/u.test(path)) {
      const why = 'its path is empty, has a line break or NUL in it, or is not valid UTF-8'
      throw unusableDirectory(path, JSON.stringify(path), why)
    }
    this.path = resolve(path)
    this.#root = held === undefined ? this.path : pathOf(held, this.path)
  }

  /** The path by which our own calls reach one of its paths. */
  here(path: string): string {
    return join(this.#root, relative(this.path, path))
  }

  /** The directory into which the server archives its WAL. */
  get wal(): string {
    return join(this.path, 'wal')
  }

  /** The file that says to which cluster these backups belong. */
  get mark(): string {
    return join(this.path, backupMark)
  }

  /** The file of the lock: exclusive to add or remove backups, and shared to read them. */
  get lockFile(): string {
    return join(this.path, 'howdah-backups.lock')
  }

  /** The directory of a base backup. */
  data(number: number): string {
    return join(this.path, `data.${String(number).padStart(10, '0')}`)
  }

  /** A new path for making a base backup. The directory is renamed when the backup is complete. */
  newStaging(): string {
    return join(this.path, `making.${randomBytes(6).toString('hex')}`)
  }

  /** The numbers of the backups, oldest first. */
  async numbers(): Promise<number[]> {
    const names = await readdir(this.#root)
    return names
      .flatMap((name) => /^data\.(\d{10})$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((one, other) => one - other)
  }

  /** The backup with that number. Throws `ERR_CLUSTER_BACKUP_DAMAGED` if its record is damaged. */
  async backup(number: number): Promise<Backup> {
    const path = this.data(number)
    return describe(path, await readRecord(path))
  }

  /**
   * Opens and locks the directory for the backups of a cluster, and makes it if it is missing. From then on our calls reach
   * it by the open descriptor, whatever another user puts at its path.
   *
   * Throws `ERR_CLUSTER_BACKUP_DIRECTORY` if it contains other files, or another cluster's backups.
   */
  async open(
    dataDir: string,
    systemIdentifier: bigint,
    user: ServerUser | null,
    waiting: WaitOptions,
  ): Promise<OpenBackups> {
    const identifier = String(systemIdentifier)
    await refuseNested(this.path)
    makeDirectories(dirname(this.path))
    // Only the archive belongs to the server's user, but that user must be able to enter this directory.
    makeUnlessThere(this.path, (held) => {
      if (user !== null) fchmodSync(held.fd, 0o711)
    })
    await this.#check(dataDir, identifier)
    const lock = await this.lock('exclusive', waiting)
    let held: HeldDirectory | null = null
    try {
      held = HeldDirectory.follow(this.path)
      const open = new BackupDirectory(this.path, held)
      if (!isSame(lock, open.here(this.lockFile))) {
        throw unusableDirectory(dataDir, this.path, 'it was replaced meanwhile; try again')
      }
      await open.#prepare(dataDir, identifier, user)
      return new OpenBackups(open, lock, held)
    } catch (error) {
      held?.[Symbol.dispose]()
      lock.release()
      throw error
    }
  }

  /**
   * The system identifier of the cluster to which these backups belong. Throws `ERR_CLUSTER_BACKUP_DIRECTORY` and
   * `ERR_CLUSTER_NO_BACKUP`.
   */
  async owner(dataDir: string): Promise<string> {
    let text
    try {
      text = readPlainFile(this.here(this.mark))
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        throw noBackup(dataDir, `there are no backups in ${this.path}; check the path`)
      }
      const why = message.replaceAll(this.#root, () => this.path)
      throw unusableDirectory(dataDir, this.path, why, { cause })
    }
    const [, format, identifier] =
      /^\{"format":(\d+),"systemIdentifier":"(\d+)"\}\s*$/.exec(text) ?? []
    if (format === '1' && identifier !== undefined) return identifier
    const why = `${this.mark} is damaged, or was written by a newer howdah`
    throw unusableDirectory(dataDir, this.path, why)
  }

  /** Takes the lock on the directory. */
  async lock(mode: 'exclusive' | 'shared', waiting: WaitOptions): Promise<Lock> {
    return await acquire(this.lockFile, { ...waiting, mode, fair: false, permissions: 0o600 })
  }

  /** Removes the files of interrupted backups. Called under the lock. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#root)) {
      if (/^(making|retired)\.[\da-f]{12}$/.test(name)) {
        await removeTree(join(this.#root, name))
      }
    }
  }

  /** Removes a backup. At every instant the backup is complete or gone. Called under the lock. */
  async remove(number: number): Promise<void> {
    const doomed = join(this.#root, `retired.${randomBytes(6).toString('hex')}`)
    await rename(this.here(this.data(number)), doomed)
    await syncDirectory(this.#root)
    await removeTree(doomed)
  }

  /** Makes the missing files. Called under the lock. */
  async #prepare(dataDir: string, identifier: string, user: ServerUser | null): Promise<void> {
    const isMarked = await this.#check(dataDir, identifier)
    makeUnlessThere(this.here(this.wal))
    this.#giveWal(dataDir, user)
    if (isMarked) return
    const mark = { format: 1, systemIdentifier: identifier }
    await writeOwnFile(this.here(this.mark), `${JSON.stringify(mark)}\n`, null)
    await syncDirectory(this.#root)
    await syncDirectory(dirname(this.path))
  }

  /**
   * Gives the archive to the server's user, but only if it is empty and belongs to root, because its path may lead elsewhere
   * by now.
   */
  #giveWal(dataDir: string, user: ServerUser | null): void {
    if (user === null) return
    using held = HeldDirectory.open(this.here(this.wal))
    const { uid } = fstatSync(held.fd)
    if (uid === user.uid) return
    if (uid !== 0 || readdirSync(held.path).length > 0) {
      const why = `${this.wal} belongs to another user (uid ${uid}) than the server (uid ${user.uid}); give it to that user, with all that is in it`
      throw unusableDirectory(dataDir, this.path, why)
    }
    held.give(user)
  }

  /** Whether the directory has its mark. Throws if it has other content or another cluster's mark. */
  async #check(dataDir: string, identifier: string): Promise<boolean> {
    const found = await readdir(this.#root)
    if (!found.includes(basename(this.mark))) {
      const ours = new Set(
        [this.wal, this.lockFile, `${this.mark}.tmp`].map((path) => basename(path)),
      )
      const others = found.filter((name) => !ours.has(name))
      if (others.length === 0) return false
      const why = `it holds other things (${others.slice(0, 3).join(', ')}); use an empty or a new directory`
      throw unusableDirectory(dataDir, this.path, why)
    }
    const owner = await this.owner(dataDir)
    if (owner === identifier) return true
    const why = `it holds those of another cluster (its system identifier is ${owner}); use a directory for each`
    throw unusableDirectory(dataDir, this.path, why)
  }
}

/** Makes a directory, closed to others from its first instant, unless there is one. */
function makeUnlessThere(path: string, finish: (held: HeldDirectory) => void = () => undefined) {
  try {
    using held = HeldDirectory.make(path, null)
    finish(held)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
  }
}

/** Whether a path leads to the locked file. */
function isSame(lock: Lock, path: string): boolean {
  const [one, other] = [
    fstatSync(lock.fd, { bigint: true }),
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  ]
  return one.dev === other?.dev && one.ino === other.ino
}

/** A directory with backups that is locked and held open. */
export class OpenBackups implements Disposable {
  readonly directory: BackupDirectory
  readonly #lock: Lock
  readonly #held: HeldDirectory

  constructor(directory: BackupDirectory, lock: Lock, held: HeldDirectory) {
    this.directory = directory
    this.#lock = lock
    this.#held = held
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]()
    this.#lock.release()
  }
}
