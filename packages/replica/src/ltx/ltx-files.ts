import { formatTxid, type LtxHeader } from '@howdah/ltx'
import type { ReplicaEntry } from '../entries.ts'
import { ReplicaError } from '../errors.ts'
import type { Storage } from '../storage.ts'
import { headerTime } from './header-time.ts'
import { farthestChain, type Chain } from './ltx-chain.ts'
import type { LtxFileInfo } from './ltx-file-info.ts'
import { allLtx, findLevels, ltxInfo, refuseStrangers, type LtxFound } from './ltx-list.ts'
import { readLtxHeader } from './read-ltx.ts'

const headersAtATime = 64

/** The state to restore from LTX files; the latest if neither is given. */
export interface LtxTarget {
  readonly txid?: bigint | undefined
  /** In ms since 1970. */
  readonly time?: number | undefined
}

/** A file of a plan, with its path. */
export type PlannedLtx = LtxFileInfo & { readonly path: string }

/** The LTX files of a state of the database, in the order in which they are applied. */
export interface RestorePlan {
  readonly files: readonly PlannedLtx[]
  /** The last transaction of that state. */
  readonly txid: bigint
  /** The total size of the files, in bytes. */
  readonly bytes: number
}

/** A plan, and the headers of its files. */
export interface LtxPlan extends RestorePlan {
  readonly headers: readonly LtxHeader[]
}

/** All LTX files of a replica, from a listing. Plans states from them. */
export class LtxFiles {
  readonly files: readonly LtxFound[]
  readonly #storage: Storage
  readonly #headers = new Map<LtxFound, Promise<LtxHeader>>()

  /** Lists all levels. Throws `ERR_REPLICA_LAYOUT` if there are LTX files outside of the levels. */
  static async list(storage: Storage): Promise<LtxFiles> {
    const levels = await findLevels(storage)
    refuseStrangers(storage, levels)
    return new LtxFiles(storage, await allLtx(storage, levels))
  }

  /** The LTX files among the entries of a replica. */
  static of(storage: Storage, entries: Iterable<ReplicaEntry>): LtxFiles {
    const files: LtxFound[] = []
    for (const entry of entries) {
      if (entry.kind !== 'ltx') continue
      const { level, minTxid, maxTxid, path, size, createdAt } = entry
      const item = { name: path, facts: { size, modified: createdAt } }
      files.push({ level, minTxid, maxTxid, path, item })
    }
    return new LtxFiles(storage, files)
  }

  private constructor(storage: Storage, files: readonly LtxFound[]) {
    this.#storage = storage
    this.files = files
  }

  /**
   * Chooses the files to restore a state from.
   *
   * The state at a time is the farthest state that files with this or an earlier time in their headers give. Later files are
   * not a gap. Throws a {@link ReplicaError}: `ERR_REPLICA_EMPTY` if no file starts with the first transaction,
   * `ERR_REPLICA_GAP` if transactions before the wanted state are in no file, `ERR_REPLICA_NOT_REACHED` if no files end with
   * the wanted transaction, and the error of a header that cannot be read.
   */
  async plan(target: LtxTarget = {}): Promise<LtxPlan> {
    try {
      return await this.#planned(await this.#chain(target))
    } catch (error) {
      throw await this.explain(error)
    }
  }

  /** Adds to the error what can be restored without the file at fault. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof ReplicaError)) return error
    if (error.code !== 'ERR_REPLICA_DAMAGED' && error.code !== 'ERR_REPLICA_MISMATCH') return error
    const bad = this.files.find(({ path }) => path === error.path)
    if (bad === undefined) return error
    const usable = await this.#usableWithout(bad)
    return new ReplicaError(error.code, `${error.message}; ${withoutIt(bad, usable.reached)}`, {
      path: bad.path,
      cause: error.cause,
    })
  }

  /**
   * The time of the last transaction up to a time, in ms since 1970, even if it cannot be restored; `null` if there is none.
   * If a file's header cannot be read, its mtime counts.
   */
  async newest(time = Infinity): Promise<number | null> {
    const latestFirst = this.files.toSorted((one, other) => Number(other.maxTxid - one.maxTxid))
    for (const file of latestFirst) {
      const found = await this.#timeOf(file)
      if (found !== null && found <= time) return found
    }
    return null
  }

  /** A file's header. Each header is read only once. */
  async header(file: LtxFound): Promise<LtxHeader> {
    let header = this.#headers.get(file)
    if (header === undefined) {
      header = readLtxHeader(this.#storage, file)
      // Handles the rejection here: the read may fail while the caller still waits for another header.
      header.catch(() => undefined)
      this.#headers.set(file, header)
    }
    return await header
  }

  async #timeOf(file: LtxFound): Promise<number | null> {
    try {
      return headerTime(await this.header(file)).getTime()
    } catch (error) {
      const isBad =
        error instanceof ReplicaError &&
        (error.code === 'ERR_REPLICA_DAMAGED' || error.code === 'ERR_REPLICA_MISMATCH')
      if (!isBad) throw error
      return (await this.#storage.look(file.path))?.modified.getTime() ?? null
    }
  }

  /** The error for the first gap: transactions that are in no file, although later ones are. `null` if there is no gap. */
  async gap(): Promise<ReplicaError | null> {
    const { whole, beyond } = await this.#extent()
    return beyond[0] === undefined ? null : gap(whole.reached, beyond[0], whole.reached)
  }

  /** The farthest chain of all, and the files that no chain reaches. */
  async #extent(): Promise<{ whole: Chain<LtxFound>; beyond: readonly LtxFound[] }> {
    const whole = await farthestChain(this.files)
    const beyond = this.files
      .filter(({ maxTxid }) => maxTxid > whole.reached)
      .toSorted((one, other) => Number(one.minTxid - other.minTxid))
    return { whole, beyond }
  }

  async #chain({ txid, time }: LtxTarget): Promise<Chain<LtxFound>> {
    const { whole, beyond } = await this.#extent()
    if (txid !== undefined) return await this.#chainTo(txid, whole, beyond)
    if (time === undefined) {
      if (beyond[0] !== undefined) throw gap(whole.reached, beyond[0], whole.reached)
      if (whole.reached === 0n) throw this.#empty('')
      return whole
    }
    const isInTime = async (file: LtxFound): Promise<boolean> =>
      (await this.header(file)).timestamp <= time
    const chain = await farthestChain(this.files, isInTime)
    for (const file of beyond) {
      const [next = file] = beyond
      if (await isInTime(file)) throw gap(whole.reached, next, chain.reached || whole.reached)
    }
    if (chain.reached === 0n) throw this.#empty(' at that time')
    return chain
  }

  async #chainTo(
    txid: bigint,
    whole: Chain<LtxFound>,
    beyond: readonly LtxFound[],
  ): Promise<Chain<LtxFound>> {
    const chain = await farthestChain(this.files, ({ maxTxid }) => maxTxid <= txid)
    if (chain.reached === txid) return chain
    const [next] = beyond
    if (
      next !== undefined &&
      txid > whole.reached &&
      beyond.some(({ maxTxid }) => maxTxid >= txid)
    ) {
      throw gap(whole.reached, next, whole.reached)
    }
    if (this.files.length === 0) throw this.#empty('')
    const later = whole.files.find(({ maxTxid }) => maxTxid > txid)
    const near = [
      ...(chain.reached === 0n
        ? []
        : [`the last state before it is after ${formatTxid(chain.reached)}`]),
      ...(later === undefined ? [] : [`a later one is after ${formatTxid(later.maxTxid)}`]),
    ]
    throw new ReplicaError(
      'ERR_REPLICA_NOT_REACHED',
      `no file in ${this.#storage.root} ends with transaction ${formatTxid(txid)}; ${near.join(', ')}`,
      { path: this.#storage.root },
    )
  }

  async #planned({ files, reached }: Chain<LtxFound>): Promise<LtxPlan> {
    const planned = await inParallel(files, async (file) => await this.#lookAt(file))
    return {
      files: planned.map(({ info }) => info),
      txid: reached,
      bytes: planned.reduce((sum, { info }) => sum + info.size, 0),
      headers: planned.map(({ header }) => header),
    }
  }

  async #lookAt(file: LtxFound): Promise<{ header: LtxHeader; info: PlannedLtx }> {
    const header = await this.header(file)
    const { path } = file
    const facts = file.item.facts ?? (await this.#storage.look(path))
    if (facts === null) {
      throw new ReplicaError('ENOENT', `${path} was removed after it was listed; try again`, {
        path,
      })
    }
    const info = ltxInfo(file, { size: facts.size, modified: headerTime(header) })
    return { header, info: { ...info, path } }
  }

  /** The farthest chain without the bad file, and without other files with an unreadable header. */
  async #usableWithout(bad: LtxFound): Promise<Chain<LtxFound>> {
    return await farthestChain(this.files, async (file) => {
      if (file === bad || file.minTxid > bad.maxTxid) return false
      try {
        await this.header(file)
        return true
      } catch {
        return false
      }
    })
  }

  #empty(when: string): ReplicaError {
    const path = this.#storage.root
    return new ReplicaError('ERR_REPLICA_EMPTY', `${path} has no LTX file to start from${when}`, {
      path,
    })
  }
}

function withoutIt(bad: LtxFound, reached: bigint): string {
  if (reached === 0n) return 'without it, nothing can be restored from LTX files'
  const state = formatTxid(reached)
  return reached >= bad.maxTxid
    ? `other files have its transactions: move it away, to restore transaction ${state} without it`
    : `the last state without it is after transaction ${state}; restore that one`
}

function gap(reached: bigint, next: LtxFound, restorable: bigint): ReplicaError {
  const remedy =
    restorable === 0n
      ? 'there is no snapshot to start from'
      : `restore transaction ${formatTxid(restorable)} to go without them`
  return new ReplicaError(
    'ERR_REPLICA_GAP',
    `the transactions ${formatTxid(reached + 1n)} to ${formatTxid(next.minTxid - 1n)} before ${next.path} are missing; ${remedy}`,
    { path: next.path },
  )
}

async function inParallel<One, Other>(
  values: readonly One[],
  run: (value: One) => Promise<Other>,
): Promise<Other[]> {
  const results: Other[] = []
  for (let from = 0; from < values.length; from += headersAtATime) {
    results.push(...(await Promise.all(values.slice(from, from + headersAtATime).map(run))))
  }
  return results
}
