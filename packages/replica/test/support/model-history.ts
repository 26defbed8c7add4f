import type { Random } from '@howdah/fixtures'
import { DatabaseChecksum, encodeLtx, type PageContent } from '@howdah/ltx'
import { gather } from './files.ts'

interface State {
  readonly pages: readonly Buffer[]
  /** The transaction that last wrote each page. */
  readonly writers: readonly number[]
}

/** What an LTX file of a history is to be like. */
export interface FileOfHistory {
  readonly min: number
  readonly max: number
  readonly timestamp: number
  readonly tracked?: boolean
}

/** A small database that went through random transactions, as a model of what replicas hold. */
export class ModelHistory {
  readonly pageSize: number
  readonly #random: Random
  readonly #states: State[] = [{ pages: [], writers: [] }]

  constructor(random: Random, transactions: number, pageSize = 512) {
    this.#random = random
    this.pageSize = pageSize
    while (this.length < transactions) this.#write()
  }

  /** How many transactions there were. */
  get length(): number {
    return this.#states.length - 1
  }

  /** Another history, that is the same up to a transaction. */
  fork(txid: number): ModelHistory {
    const other = new ModelHistory(this.#random, 0, this.pageSize)
    other.#states.splice(0, 1, ...this.#states.slice(0, txid + 1))
    while (other.length < this.length) other.#write()
    return other
  }

  /** The database file after a transaction. */
  database(txid: number): Buffer {
    return Buffer.concat(this.#at(txid).pages)
  }

  /** An LTX file of some transactions. */
  async file({ min, max, timestamp, tracked = false }: FileOfHistory): Promise<Buffer> {
    const { pages, writers } = this.#at(max)
    const content: PageContent[] = pages.flatMap((data, index) => {
      return (writers[index] ?? 0) >= min ? [{ number: index + 1, data }] : []
    })
    const header = {
      pageSize: this.pageSize,
      commit: pages.length,
      minTxid: BigInt(min),
      maxTxid: BigInt(max),
      timestamp: BigInt(timestamp),
    }
    if (!tracked) return await gather(encodeLtx(header, content))
    const preApplyChecksum = min === 1 ? 0n : this.#checksum(min - 1)
    const postApplyChecksum = this.#checksum(max)
    return await gather(
      encodeLtx({ ...header, noChecksum: false, preApplyChecksum }, content, { postApplyChecksum }),
    )
  }

  #at(txid: number): State {
    const state = this.#states[txid]
    if (state === undefined) throw new Error(`there is no transaction ${txid}`)
    return state
  }

  #checksum(txid: number): bigint {
    const checksum = new DatabaseChecksum()
    for (const [index, data] of this.#at(txid).pages.entries()) checksum.add(index + 1, data)
    return checksum.value
  }

  /** Writes some pages, and adds or drops one now and then. */
  #write(): void {
    const random = this.#random
    const before = this.#at(this.length)
    const txid = this.length + 1
    const { length } = before.pages
    const change = random.pick([1, 0, 0, length > 1 ? -1 : 0])
    const count = length === 0 ? 1 + random.below(5) : length + change
    const pages: Buffer[] = []
    const writers: number[] = []
    for (let index = 0; index < count; index++) {
      const [kept, writer] = [before.pages[index], before.writers[index]]
      if (kept !== undefined && writer !== undefined && random.below(3) > 0) {
        pages.push(kept)
        writers.push(writer)
      } else {
        pages.push(Buffer.alloc(this.pageSize, random.bytes(16)))
        writers.push(txid)
      }
    }
    this.#states.push({ pages, writers })
  }
}
