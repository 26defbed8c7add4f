import { jobs, type Report } from './demo.ts'

/** One of the promises of the demo, and whether it was kept. */
export interface Check {
  readonly promise: string
  readonly holds: boolean
  /** The actual result if the promise was not kept. */
  readonly found: string
}

/** Keeps count of what the workers report. */
export class Tally {
  readonly #victim: string
  readonly #byWorker = new Map<string, number>()
  readonly #numbers = new Set<number>()
  readonly #starters: string[] = []
  readonly #finishers = new Map<string, { done: number }>()
  readonly #since = performance.now()

  constructor(victim: string) {
    this.#victim = victim
  }

  /** How many different jobs have been reported as done. */
  get done(): number {
    return this.#numbers.size
  }

  add(report: Report): void {
    if (report.kind === 'joined') {
      this.#byWorker.set(report.worker, 0)
      if (report.started) this.#starters.push(report.worker)
    } else if (report.kind === 'done') {
      this.#numbers.add(report.job)
      this.#byWorker.set(report.worker, (this.#byWorker.get(report.worker) ?? 0) + 1)
    } else if (report.kind === 'finished') {
      this.#finishers.set(report.worker, report)
    }
  }

  checks(facts: { starts: number; stops: number; left: readonly string[] }): Check[] {
    const survivors = [...this.#byWorker.keys()].filter((name) => name !== this.#victim)
    const seen = survivors.map((name) => `${this.#finishers.get(name)?.done ?? 'none'} by ${name}`)
    const allSaw = survivors.every((name) => this.#finishers.get(name)?.done === jobs)
    return [
      {
        promise: `each of the ${jobs} jobs was done`,
        holds: allSaw && survivors.length === 3,
        found: `seen as done: ${seen.join(', ')}`,
      },
      {
        promise: `${this.#victim} was killed, and the others finished her jobs`,
        holds: !this.#finishers.has(this.#victim),
        found: `${this.#victim} went on to the end`,
      },
      {
        promise: 'PostgreSQL was started once, by the first',
        holds: facts.starts === 1 && this.#starters.length === 1,
        found: `${facts.starts} starts, by ${this.#starters.join(', ') || 'nobody'}`,
      },
      {
        promise: 'it was stopped once, by the last',
        holds: facts.stops === 1,
        found: `${facts.stops} stops`,
      },
      {
        promise: 'nothing is left: no process, no directory',
        holds: facts.left.length === 0,
        found: facts.left.join(', '),
      },
    ]
  }

  summary(server: string, checks: readonly Check[]): string {
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1)
    const workers = [...this.#byWorker].map(([name, count]) => {
      const role =
        name === this.#victim
          ? ', then killed'
          : this.#starters.includes(name)
            ? ', started PostgreSQL'
            : ''
      return `  ${name.padEnd(8)}${String(count).padStart(4)} jobs${role}`
    })
    const lines = checks.map(({ promise, holds, found }) =>
      holds ? `  ✔ ${promise}` : `  ✘ ${promise} – but: ${found}`,
    )
    return [`\n${server}, ${seconds} s`, ...workers, '', ...lines, ''].join('\n')
  }
}
