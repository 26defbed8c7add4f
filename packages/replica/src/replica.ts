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
 * A replica of a SQLite database, in a directory or in S3, as litestream lays them out.
 *
 * LTX files are read, written and deleted; what litestream 0.3 wrote to `generations/` is only read. LTX files are also
 * found where litestream has them in other kinds of storage, so that a copy can be read: in `ltx/<level>/` and in `<level>/`,
 * the level in decimal or as four hex digits. All methods throw a {@link ReplicaError}; if a file or a level is not there,
 * listings are empty, and opening it throws one with the code `ENOENT`.
 */
export abstract class Replica implements AsyncDisposable {
  readonly #storage: Storage
  readonly #modes: Modes

  protected constructor(storage: Storage, modes: Modes) {
    this.#storage = storage
    this.#modes = modes
  }

  /** The kind of replica, as litestream's configuration names it. */
  get type(): Storage['type'] {
    return this.#storage.type
  }

  /** Where it is: the root directory, or an `s3://` URL. */
  get path(): string {
    return this.#storage.root
  }

  /** Does nothing: nothing is made before something is written. */
  async init(): Promise<void> {}

  /** Closes connections, if there are any. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The directory that LTX files of a level are written to. */
  ltxLevelDir(level: number): string {
    const [own = ''] = levelDirectories(this.#storage, level)
    return own
  }

  /** The path that an LTX file is written to. */
  ltxFilePath(level: number, minTxid: bigint, maxTxid: bigint): string {
    return `${this.ltxLevelDir(level)}/${ltxFileName(minTxid, maxTxid)}`
  }

  /** The levels that there are, in ascending order. */
  async ltxLevels(): Promise<number[]> {
    return [...(await findLevels(this.#storage)).levels]
  }

  /**
   * The LTX files of a level, sorted by first, then last transaction, from `seek` on: those that start before are left out.
   *
   * Temporary files and directories are passed over. It reads the directory at once, and asks for sizes and times as the
   * listing is read.
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
   * Writes an LTX file, whole or not at all; a file of that name is replaced.
   *
   * The source is verified to its end before the file gets its name, with the time that the header says. Throws
   * `ERR_REPLICA_DAMAGED` if the source is not a sound LTX file, `ERR_REPLICA_MISMATCH` if it holds other transactions than
   * those that it is to be named after; errors of the source are passed on. A process that is killed may leave a temporary
   * file, or in S3 an unfinished upload, which listings pass over.
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

  /** Deletes LTX files; what is gone already is not an error. */
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
   * Deletes all LTX files, what killed writers left, and the directories that become empty.
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

  /** A snapshot's data, decompressed and verified on the way. */
  async openSnapshot(generation: string, index: number): Promise<Readable> {
    return await openFirst(this.#storage, [snapshotPath(this.#storage, generation, index)])
  }

  /** A WAL segment's data, decompressed and verified on the way. */
  async openWalSegment(generation: string, index: number, offset: number): Promise<Readable> {
    const paths = walSegmentPaths(this.#storage, generation, index, offset)
    return await openFirst(this.#storage, paths)
  }

  /** All files of the replica: level by level, then generation by generation. */
  entries(): AsyncGenerator<ReplicaEntry, void, void> {
    return listEntries(this.#storage)
  }

  /**
   * Reads every file to its end, plans every state that can be restored, and checks what restoring it would.
   *
   * If no verdict has a problem, each of these states can be restored; only what SQLite finds in the result is not known
   * before. A file that does not belong with those before has a problem, as has one that follows on something missing. Each
   * file has one verdict, in the order of `entries`; they come when all is read.
   */
  verify(options: VerifyOptions = {}): AsyncGenerator<Verdict, void, void> {
    return verify(this.#storage, options)
  }

  /** The LTX files that a restore would use. Throws what `restore` throws if that cannot be done. */
  async plan(target: Pick<RestoreTarget, 'txid' | 'time'> = {}): Promise<RestorePlan> {
    const time = target.time === undefined ? undefined : Number(target.time)
    const files = await LtxFiles.list(this.#storage)
    const { headers: _, ...plan } = await files.plan({ txid: target.txid, time })
    return plan
  }

  /**
   * Restores the database: the latest state, or the one of a transaction or a time.
   *
   * It is put together in a temporary file beside the output, checked by SQLite if there is one, and gets its name at the
   * end; if anything fails, nothing is left. If there are LTX files and some of litestream 0.3, those that are newer are
   * taken. Throws `ERR_REPLICA_OUTPUT_EXISTS`, `ERR_REPLICA_EMPTY`, `ERR_REPLICA_GAP`, `ERR_REPLICA_LAYOUT`,
   * `ERR_REPLICA_NOT_REACHED`, `ERR_REPLICA_DAMAGED`, `ERR_REPLICA_MISMATCH`, `ERR_REPLICA_INTEGRITY`, or the signal's
   * reason.
   */
  async restore(options: RestoreOptions): Promise<RestoreResult> {
    return await restore(this.#storage, options, this.#modes)
  }
}
