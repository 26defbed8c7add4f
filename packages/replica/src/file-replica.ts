import type { Readable } from 'node:stream'
import type { ByteSource } from '@howdah/ltx'
import { listEntries, type ReplicaEntry } from './entries.ts'
import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation-files.ts'
import { openSnapshot, openWalSegment } from './generation-open.ts'
import { Layout, pathOfUrl } from './layout.ts'
import { deleteAllLtx, deleteLtx } from './ltx-delete.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'
import { listLtx, ltxLevels } from './ltx-list.ts'
import { writeLtx } from './ltx-write.ts'
import type { Modes } from './modes.ts'
import { openRange } from './open-range.ts'
import type { RestoreOptions, RestoreResult, RestoreTarget } from './restore-options.ts'
import { planLtx, type RestorePlan } from './restore-plan.ts'
import { restore } from './restore.ts'
import { verify, type Verdict } from './verify.ts'

/**
 * A replica of a SQLite database in a directory, as litestream's file replicas are laid out.
 *
 * LTX files lie at `ltx/<level>/<min>-<max>.ltx` and are read, written and deleted; what litestream 0.3 wrote to
 * `generations/` is only read. It holds nothing open between calls. All methods throw a {@link ReplicaError}; where a file
 * or a level is not there, listings are empty, and opening it throws one with the code `ENOENT`.
 *
 * @example
 * const replica = FileReplica.fromUrl('file:///var/backups/app')
 * const { from, integrity } = await replica.restore({ output: '/srv/app.db' })
 */
export class FileReplica {
  /** The kind of replica, as litestream's configuration names it. */
  readonly type = 'file'
  readonly #layout: Layout
  readonly #modes: Modes

  /** The replica that a `file://` URL says, percent-encoding decoded. Throws `ERR_REPLICA_OPTION` for any other URL. */
  static fromUrl(url: string | URL, modes: Partial<Modes> = {}): FileReplica {
    return new FileReplica(pathOfUrl(url), modes)
  }

  /** Makes nothing: directories are made when something is written. */
  constructor(path: string, modes: Partial<Modes> = {}) {
    this.#layout = new Layout(path)
    this.#modes = { directoryMode: 0o700, fileMode: 0o600, ...modes }
  }

  /** The root directory. */
  get path(): string {
    return this.#layout.root
  }

  /** Does nothing: a directory needs no connection. */
  async init(): Promise<void> {}

  /** The directory of a level of LTX files. */
  ltxLevelDir(level: number): string {
    return this.#layout.ltxLevel(level)
  }

  /** The path of an LTX file. */
  ltxFilePath(level: number, minTxid: bigint, maxTxid: bigint): string {
    return this.#layout.ltxFile(level, minTxid, maxTxid)
  }

  /** The levels that there are, in ascending order. */
  async ltxLevels(): Promise<number[]> {
    return await ltxLevels(this.#layout)
  }

  /**
   * The LTX files of a level, sorted by first, then last transaction, from `seek` on: those that start before are left out.
   *
   * Temporary files and directories are passed over. It reads the directory at once, and asks for sizes and times as the
   * listing is read.
   */
  ltxFiles(level: number, seek = 0n): AsyncGenerator<LtxFileInfo, void, void> {
    return listLtx(this.#layout, level, seek)
  }

  /** Opens a range of an LTX file, in bytes; a size of 0 means up to the end. */
  async openLtxFile(
    level: number,
    minTxid: bigint,
    maxTxid: bigint,
    offset = 0,
    size = 0,
  ): Promise<Readable> {
    return await openRange(this.#layout.ltxFile(level, minTxid, maxTxid), offset, size)
  }

  /**
   * Writes an LTX file, whole or not at all; a file of that name is replaced.
   *
   * The source is verified to its end on the way to a temporary file, which gets the mtime that the header's timestamp says
   * and is on the disk before it gets its name. Throws `ERR_REPLICA_DAMAGED` where the source is no sound LTX file,
   * `ERR_REPLICA_MISMATCH` where it holds other transactions than those that it is to be named after; errors of the source
   * are passed on. A process that is killed may leave a temporary file, which listings pass over.
   */
  async writeLtxFile(
    level: number,
    minTxid: bigint,
    maxTxid: bigint,
    source: ByteSource,
  ): Promise<LtxFileInfo> {
    const path = this.#layout.ltxFile(level, minTxid, maxTxid)
    return await writeLtx(path, { level, minTxid, maxTxid }, source, this.#modes)
  }

  /** Deletes LTX files; what is gone already is no error. */
  async deleteLtxFiles(files: Iterable<LtxFileKey>): Promise<void> {
    await deleteLtx(this.#layout, files)
  }

  /**
   * Deletes all LTX files, what killed writers left, and the directories that become empty.
   *
   * Other files, the generations of litestream 0.3 and the root directory stay.
   */
  async deleteAll(): Promise<void> {
    await deleteAllLtx(this.#layout)
  }

  /** The generations that litestream 0.3 wrote, sorted by name. */
  async generations(): Promise<string[]> {
    return await listGenerations(this.#layout)
  }

  /** The snapshots of a generation, sorted by index. */
  snapshots(generation: string): AsyncGenerator<SnapshotInfo, void, void> {
    return listSnapshots(this.#layout, generation)
  }

  /** The WAL segments of a generation, sorted by index, then offset. */
  walSegments(generation: string): AsyncGenerator<WalSegmentInfo, void, void> {
    return listWalSegments(this.#layout, generation)
  }

  /** A snapshot's data, decompressed and verified on the way. */
  async openSnapshot(generation: string, index: number): Promise<Readable> {
    return await openSnapshot(this.#layout, generation, index)
  }

  /** A WAL segment's data, decompressed and verified on the way. */
  async openWalSegment(generation: string, index: number, offset: number): Promise<Readable> {
    return await openWalSegment(this.#layout, generation, index, offset)
  }

  /** All files of the replica: level by level, then generation by generation. */
  entries(): AsyncGenerator<ReplicaEntry, void, void> {
    return listEntries(this.#layout)
  }

  /**
   * Reads every file to its end, and says of each whether it is sound.
   *
   * Whether transactions are missing between them is what `plan` says.
   */
  verify(options: { signal?: AbortSignal } = {}): AsyncGenerator<Verdict, void, void> {
    return verify(this.#layout, options.signal)
  }

  /** The LTX files that a restore would use. Throws what `restore` throws where it cannot be done. */
  async plan(target: Pick<RestoreTarget, 'txid' | 'time'> = {}): Promise<RestorePlan> {
    const time = target.time === undefined ? undefined : Number(target.time)
    return await planLtx(this.#layout, { txid: target.txid, time })
  }

  /**
   * Restores the database: the latest state, or the one of a transaction or a time.
   *
   * It is put together in a temporary file beside the output, checked by SQLite where there is one, and gets its name at
   * the end; when anything fails, nothing is left. Comes from LTX files where there are any, else from the snapshots and
   * WAL of litestream 0.3. Throws `ERR_REPLICA_OUTPUT_EXISTS`, `ERR_REPLICA_EMPTY`, `ERR_REPLICA_GAP`,
   * `ERR_REPLICA_NOT_REACHED`, `ERR_REPLICA_DAMAGED`, `ERR_REPLICA_INTEGRITY`, or the signal's reason.
   */
  async restore(options: RestoreOptions): Promise<RestoreResult> {
    return await restore(this.#layout, options, this.#modes)
  }
}
