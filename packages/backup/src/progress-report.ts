import type { Progress } from './backup.ts'

/** The shortest time between two reports, in ms. */
const interval = 50

/** Reports the progress with an estimate, and not too often. */
export class ProgressReport {
  readonly #tell: ((progress: Progress) => void) | undefined
  #phase: Progress['phase'] = 'preparing'
  #began = 0
  #told = 0
  #bytes = 0
  #total: number | null = null

  constructor(tell: ((progress: Progress) => void) | undefined) {
    this.#tell = tell
  }

  /** Begins a new phase. */
  begin(phase: Progress['phase'], total: number | null = null): void {
    this.#phase = phase
    this.#total = total
    this.#bytes = 0
    this.#began = performance.now()
    this.#now()
  }

  /** Adds bytes that are done. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (performance.now() - this.#told >= interval) this.#now()
  }

  #now(): void {
    this.#told = performance.now()
    const [phase, bytes, total] = [this.#phase, this.#bytes, this.#total]
    // Files may have grown while they were copied.
    const totalBytes = total === null ? null : Math.max(total, bytes)
    const remaining =
      totalBytes === null || bytes === 0
        ? null
        : Math.round(((this.#told - this.#began) / bytes) * (totalBytes - bytes))
    this.#tell?.({ phase, bytes, totalBytes, remaining })
  }
}
