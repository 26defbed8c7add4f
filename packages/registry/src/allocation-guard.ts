import type { ProcessIdentity, WaitOptions } from '@howdah/store'
import type { Allocation } from './allocation.ts'
import type { DelegateOptions } from './delegate-options.ts'

/** The table that contains the allocation of a guard: a `Registry`. */
interface GuardedTable {
  delegate(parent: string, child: string, options: DelegateOptions): Promise<AllocationGuard>
  updateSegment(
    name: string,
    token: string,
    segmentId: number | null,
    options: WaitOptions,
  ): Promise<Allocation>
  transfer(
    name: string,
    token: string,
    process: ProcessIdentity,
    options: WaitOptions,
  ): Promise<Allocation>
  release(name: string, token: string, options: WaitOptions): Promise<boolean>
}

/**
 * An allocation of this program. Disposal of the guard releases the allocation. The table is not locked while the guard
 * exists.
 *
 * After a reservation is adopted, its old guard no longer guards anything, and releasing it does nothing.
 */
export class AllocationGuard implements AsyncDisposable {
  readonly #table: GuardedTable
  #allocation: Allocation
  #ours = true

  /** @internal Guards come from a `Registry`. */
  constructor(table: GuardedTable, allocation: Allocation) {
    this.#table = table
    this.#allocation = allocation
  }

  /** The allocation as it was when this guard last changed it. */
  get allocation(): Allocation {
    return this.#allocation
  }

  /** The name of the holder. */
  get name(): string {
    return this.#allocation.name
  }

  /** The token permits its owner to release or change the allocation, or to adopt the reservation. */
  get token(): string {
    return this.#allocation.token
  }

  /** Reserves a part of the allocation for a child; see `Registry.delegate`. */
  async delegate(child: string, options: DelegateOptions): Promise<AllocationGuard> {
    return this.#table.delegate(this.name, child, { ...options, parentToken: this.token })
  }

  /** Gives the allocation another segment, or none; see `Registry.updateSegment`. */
  async updateSegment(segmentId: number | null, options: WaitOptions = {}): Promise<void> {
    const { name, token } = this
    this.#allocation = await this.#table.updateSegment(name, token, segmentId, options)
  }

  /** Gives the allocation to another process. Then this guard no longer releases it. See `Registry.transfer`. */
  async transfer(process: ProcessIdentity, options: WaitOptions = {}): Promise<Allocation> {
    const { name, token } = this
    const transferred = await this.#table.transfer(name, token, process, options)
    this.#ours = false
    return transferred
  }

  /** Releases the allocation. `false`: it is no longer ours. Idempotent. */
  async release(options: WaitOptions = {}): Promise<boolean> {
    if (!this.#ours) return false
    const released = await this.#table.release(this.name, this.token, options)
    this.#ours = false
    return released
  }

  /** Releases the allocation. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }
}
