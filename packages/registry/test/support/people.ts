import { currentProcess, type Liveness, type ProcessIdentity } from '@howdah/store'
import type { Allocation } from '../../src/index.ts'

/** Simulated processes, which live and die as the test says. */
export class People {
  readonly #dead = new Set<number>()
  #last = 1_000_000_000

  /** A new process. */
  born(): ProcessIdentity {
    this.#last += 1
    return { ...currentProcess(), pid: this.#last, startTime: String(this.#last) }
  }

  kill(...pids: number[]): void {
    for (const pid of pids) this.#dead.add(pid)
  }

  readonly probe = ({ pid }: Allocation): Liveness => (this.#dead.has(pid) ? 'dead' : 'alive')
}
