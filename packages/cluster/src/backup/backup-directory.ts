import { randomBytes } from 'node:crypto'
import { fchmodSync, fchownSync } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { acquire, type Lock, makeDirectories, readPlainFile, type WaitOptions } from '@howdah/lock'
import { backupMark } from '../backups-around.ts'
import { writeOwnFile } from '../own-file.ts'
import type { ServerUser } from '../server-user.ts'
import { HeldDirectory } from '../tree/held-directory.ts'
import { removeTree } from '../tree/remove-tree.ts'
import { refuseNested } from '../write-scope.ts'
import type { Backup } from './backup.ts'
import { describe, readRecord } from './backup-record.ts'
import { BackupDirectoryError, NoBackupError } from './errors.ts'
import { syncDirectory } from './sync-directory.ts'

/** The names of what lies in a directory with backups of one cluster. */
export class BackupDirectory {
  /** Absolute. */
  readonly path: string

  /** Throws {@link BackupDirectoryError} for a path that cannot be one. */
  constructor(path: string) {
    if (path === '' || /[\0\r\n]|\p{Surrogate}|\uFFFD/u.test(path)) {
      const why = 'its path is empty, has a line break or NUL in it, or is not valid UTF-8'
      throw new BackupDirectoryError(path, JSON.stringify(path), why)
    }
    this.path = resolve(path)
  }

  /** Where the server archives its WAL. */
  get wal(): string {
    return join(this.path, 'wal')
  }

  /** Says whose backups these are. */
  get mark(): string {
    return join(this.path, backupMark)
  }

  /** Held by whoever adds or removes something here, and shared by those who read. */
  get lockFile(): string {
    return join(this.path, 'howdah-backups.lock')
  }

  /** Where a base backup lies. */
  data(number: number): string {
    return join(this.path, `data.${String(number).padStart(10, '0')}`)
  }

  /** Where a base backup is made, another place each time; it is renamed when it is whole. */
  newStaging(): string {
    return join(this.path, `making.${randomBytes(6).toString('hex')}`)
  }

  /** The numbers of the backups, oldest first. */
  async numbers(): Promise<number[]> {
    const names = await readdir(this.path)
    return names
      .flatMap((name) => /^data\.(\d{10})$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((one, other) => one - other)
  }

  /** The backup of that number. Throws `BackupDamagedError` where its record is. */
  async backup(number: number): Promise<Backup> {
    const path = this.data(number)
    return describe(path, await readRecord(path))
  }

  /**
   * Opens it for the backups of a cluster, making it where there is none: gives the lock on all that is here.
   *
   * Throws {@link BackupDirectoryError} where it holds other things, or another cluster's backups.
   */
  async open(
    dataDir: string,
    systemIdentifier: bigint,
    user: ServerUser | null,
    waiting: WaitOptions,
  ): Promise<Lock> {
    const identifier = String(systemIdentifier)
    await refuseNested(this.path)
    makeDirectories(dirname(this.path))
    // Only the archive belongs to the server; but its user has to get there.
    makeUnlessThere(this.path, (held) => {
      if (user !== null) fchmodSync(held.fd, 0o711)
    })
    await this.check(dataDir, identifier)
    const lock = await this.lock('exclusive', waiting)
    try {
      const isMarked = await this.check(dataDir, identifier)
      makeUnlessThere(this.wal)
      giveDirectory(this.wal, user)
      if (!isMarked) {
        const mark = { format: 1, systemIdentifier: identifier }
        await writeOwnFile(this.mark, `${JSON.stringify(mark)}\n`, null)
        await syncDirectory(this.path)
        await syncDirectory(dirname(this.path))
      }
      return lock
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Whose backups are here: a system identifier. Throws {@link BackupDirectoryError} and {@link NoBackupError}. */
  async owner(dataDir: string): Promise<string> {
    let text
    try {
      text = readPlainFile(this.mark)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        throw new NoBackupError(dataDir, `there are no backups in ${this.path}; check the path`)
      }
      throw new BackupDirectoryError(dataDir, this.path, message, { cause })
    }
    const [, format, identifier] =
      /^\{"format":(\d+),"systemIdentifier":"(\d+)"\}\s*$/.exec(text) ?? []
    if (format === '1' && identifier !== undefined) return identifier
    const why = `${this.mark} is damaged, or was written by a newer howdah`
    throw new BackupDirectoryError(dataDir, this.path, why)
  }

  /** The lock on all that is here. */
  async lock(mode: 'exclusive' | 'shared', waiting: WaitOptions): Promise<Lock> {
    return await acquire(this.lockFile, { ...waiting, mode, fair: false, permissions: 0o600 })
  }

  /** Removes what interrupted backups have left. Under the lock. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (/^(making|retired)\.[\da-f]{12}$/.test(name)) {
        await removeTree(join(this.path, name))
      }
    }
  }

  /** Removes a backup, so that it is there whole or not at all. Under the lock. */
  async remove(number: number): Promise<void> {
    const doomed = join(this.path, `retired.${randomBytes(6).toString('hex')}`)
    await rename(this.data(number), doomed)
    await syncDirectory(this.path)
    await removeTree(doomed)
  }

  /** Whether it has its mark yet. Throws where it belongs to others. */
  private async check(dataDir: string, identifier: string): Promise<boolean> {
    const found = await readdir(this.path)
    if (!found.includes(basename(this.mark))) {
      const ours = new Set(
        [this.wal, this.lockFile, `${this.mark}.tmp`].map((path) => basename(path)),
      )
      const others = found.filter((name) => !ours.has(name))
      if (others.length === 0) return false
      const why = `it holds other things (${others.slice(0, 3).join(', ')}); use an empty or a new directory`
      throw new BackupDirectoryError(dataDir, this.path, why)
    }
    const owner = await this.owner(dataDir)
    if (owner === identifier) return true
    const why = `it holds those of another cluster (its system identifier is ${owner}); use a directory for each`
    throw new BackupDirectoryError(dataDir, this.path, why)
  }
}

/** Makes a directory, closed from its first instant, unless there is one. */
function makeUnlessThere(path: string, finish: (held: HeldDirectory) => void = () => undefined) {
  try {
    using held = HeldDirectory.make(path, null)
    finish(held)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** By descriptor: another may put a link in its place. */
function giveDirectory(path: string, user: ServerUser | null): void {
  if (user === null) return
  using held = HeldDirectory.open(path)
  fchownSync(held.fd, user.uid, user.gid)
}
