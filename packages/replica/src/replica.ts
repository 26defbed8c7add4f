import type { Readable } from 'node:stream'
import { parseLtxFileName, type ByteSource } from '@howdah/ltx'
import { listEntries, type ReplicaEntry } from './entries.ts'
import { ReplicaError } from './errors.ts'
import type { Modes } from './file/modes.ts'
import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  snapshotPath,
  walSegmentPaths,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation/generation-files.ts'
import { openFirst } from './generation/generation-open.ts'
import { ltxFileName } from './layout.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx/ltx-file-info.ts'
import { LtxFiles, type RestorePlan } from './ltx/ltx-files.ts'
import { findLevels, levelDirectories, listLtx, presentDirectories } from './ltx/ltx-list.ts'
import { writeLtx } from './ltx/ltx-write.ts'
import type { RestoreOptions, RestoreResult, RestoreTarget } from './restore/restore-options.ts'
import { restore } from './restore/restore.ts'
import type { Storage } from './storage.ts'
import type { VerifyOptions } from './verify/verify-options.ts'
import { verify, type Verdict } from './verify/verify.ts'

/**
 * A replica of a SQLite database, in a directory or in S3, with litestream's layout.
 *
 * LTX files are read, written and deleted; litestream 0.3's files in `generations/` are only read. LTX files are found in
 * `ltx/<level>/` and in `<level>/`, with the level in decimal or as four hex digits. These are litestream's directories in
 * all kinds of storage, so that a copy of a replica can be read. All methods throw a {@link ReplicaError}. If a file or a
 * level does not exist, listings are empty, and opening it throws an error with the code `ENOENT`.
 */
export abstract class Replica implements AsyncDisposable {
  readonly #storage: Storage
  readonly #modes: Modes

  protected constructor(storage: Storage, modes: Modes) {
    this.#storage = storage
    this.#modes = modes
  }

  /** The kind of replica, named as in litestream's configuration. */
  get type(): Storage['type'] {
    return this.#storage.type
  }

  /** The root directory of the replica, or its `s3://` URL. */
  get path(): string {
    return this.#storage.root
  }

  /** Does nothing: directories are made by the first write. */
  async init(): Promise<void> {}

  /** Closes connections, if there are any. */
  async close(): Promise<void> {}

  /** Closes, as {@link close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The directory to which LTX files of a level are written. */
  ltxLevelDir(level: number): string {
    const [own = ''] = levelDirectories(this.#storage, level)
    return own
  }

  /** The path to which an LTX file is written. */
  ltxFilePath(level: number, minTxid: bigint, maxTxid: bigint): string {
    return `${this.ltxLevelDir(level)}/${ltxFileName(minTxid, maxTxid)}`
  }

  /** The existing levels, in ascending order. */
  async ltxLevels(): Promise<number[]> {
    return [...(await findLevels(this.#storage)).levels]
  }

  /**
   * The LTX files of a level, sorted by first, then last transaction.
   *
   * Files that start before `seek` are left out, as are temporary files and directories. The directory is read at once; sizes
   * and times are read one by one, while the caller reads the listing.
   */
  async *ltxFiles(level: number, seek = 0n): AsyncGenerator<LtxFileInfo, void, void> {
    for await (const { path: _, ...info } of listLtx(this.#storage, level, seek)) yield info
  }

  /** Opens a range of an LTX file, in bytes; a size of 0 means up to the end. */
  async openLtxFile(
    level: number,
    minTxid: bigint,
    maxTxid: bigint,
    offset = 0,
    size = 0,
  ): Promise<Readable> {
    const name = ltxFileName(minTxid, maxTxid)
    for (const [what, value] of Object.entries({ offset, size })) {
      if (Number.isSafeInteger(value) && value >= 0) continue
      throw new ReplicaError('ERR_REPLICA_OPTION', `the ${what} ${value} is not a natural number`)
    }
    let missing
    for (const directory of levelDirectories(this.#storage, level)) {
      try {
        return await this.#storage.open(`${directory}/${name}`, offset, size)
      } catch (error) {
        if (!(error instanceof ReplicaError && error.code === 'ENOENT')) throw error
        missing ??= error
      }
    }
    throw missing
  }

  /**
   * Writes a whole LTX file or nothing.
   *
   * Replaces a file of the same name. The source is verified to its end before the file gets its name. Its mtime is the time
   * in the header. Throws `ERR_REPLICA_DAMAGED` if the source is not a valid LTX file, `ERR_REPLICA_MISMATCH` if its
   * transactions are not the given ones, and errors of the source unchanged. If the process is killed, it may leave a
   * temporary file, or an unfinished upload in S3. Listings skip both.
   */
  async writeLtxFile(
    level: number,
    minTxid: bigint,
    maxTxid: bigint,
    source: ByteSource,
  ): Promise<LtxFileInfo> {
    const path = this.ltxFilePath(level, minTxid, maxTxid)
    return await writeLtx(this.#storage, { level, minTxid, maxTxid, path }, source)
  }

  /** Deletes LTX files. A missing file is not an error. */
  async deleteLtxFiles(files: Iterable<LtxFileKey>): Promise<void> {
    const keys = [...files]
    const directories = await presentDirectories(
      this.#storage,
      keys.map(({ level }) => level),
    )
    const paths = keys.flatMap(({ level, minTxid, maxTxid }) => {
      const name = ltxFileName(minTxid, maxTxid)
      return (directories.get(level) ?? []).map((directory) => `${directory}/${name}`)
    })
    await this.#storage.delete(paths)
  }

  /**
   * Deletes all LTX files, the temporary files of killed writers, and the directories that become empty.
   *
   * Other files, the generations of litestream 0.3 and the root directory stay.
   */
  async deleteAll(): Promise<void> {
    const { directories } = await findLevels(this.#storage)
    const paths = directories.map(({ path }) => path)
    await this.#storage.deleteIn(paths, (name) => parseLtxFileName(name) !== null)
  }

  /** The generations that litestream 0.3 wrote, sorted by name. */
  async generations(): Promise<string[]> {
    return await listGenerations(this.#storage)
  }

  /** The snapshots of a generation, sorted by index. */
  async *snapshots(generation: string): AsyncGenerator<SnapshotInfo, void, void> {
    for await (const { path: _, ...info } of listSnapshots(this.#storage, generation)) yield info
  }

  /** The WAL segments of a generation, sorted by index, then offset. */
  async *walSegments(generation: string): AsyncGenerator<WalSegmentInfo, void, void> {
    for await (const { path: _, ...info } of listWalSegments(this.#storage, generation)) yield info
  }

  /** A snapshot's data, which is decompressed and verified while it is read. */
  async openSnapshot(generation: string, index: number): Promise<Readable> {
    return await openFirst(this.#storage, [snapshotPath(this.#storage, generation, index)])
  }

  /** A WAL segment's data, which is decompressed and verified while it is read. */
  async openWalSegment(generation: string, index: number, offset: number): Promise<Readable> {
    const paths = walSegmentPaths(this.#storage, generation, index, offset)
    return await openFirst(this.#storage, paths)
  }

  /** All files of the replica: level by level, then generation by generation. */
  entries(): AsyncGenerator<ReplicaEntry, void, void> {
    return listEntries(this.#storage)
  }

  /**
   * Reads every file to its end, plans every state that can be restored, and makes the checks of a restore.
   *
   * If no verdict has a problem, each of these states can be restored; only SQLite's check of the result is left out. A file
   * has a problem if it does not belong with the files before it, or if a file before it is missing. Each file has one
   * verdict, in the order of `entries`. The verdicts come after all files are read.
   */
  verify(options: VerifyOptions = {}): AsyncGenerator<Verdict, void, void> {
    return verify(this.#storage, options)
  }

  /** The LTX files that a restore would use. Throws the errors of `restore` if it would fail. */
  async plan(target: Pick<RestoreTarget, 'txid' | 'time'> = {}): Promise<RestorePlan> {
    const time = target.time === undefined ? undefined : Number(target.time)
    const files = await LtxFiles.list(this.#storage)
    const { headers: _, ...plan } = await files.plan({ txid: target.txid, time })
    return plan
  }

  /**
   * Restores the database: its latest state, or the state at a transaction or a time.
   *
   * The database is written to a temporary file beside the output, is checked by SQLite if that is available, and gets its
   * name at the end. If a step fails, no file is left. If there are both LTX files and files of litestream 0.3, the newer
   * ones are used. Throws `ERR_REPLICA_OUTPUT_EXISTS`, `ERR_REPLICA_EMPTY`, `ERR_REPLICA_GAP`, `ERR_REPLICA_LAYOUT`,
   * `ERR_REPLICA_NOT_REACHED`, `ERR_REPLICA_DAMAGED`, `ERR_REPLICA_MISMATCH`, `ERR_REPLICA_INTEGRITY`, or the signal's
   * reason.
   */
  async restore(options: RestoreOptions): Promise<RestoreResult> {
    return await restore(this.#storage, options, this.#modes)
  }
}
