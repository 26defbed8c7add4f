import { ReplicaError } from '../errors.ts'
import type { VerifyOptions } from './verify-options.ts'

/** What is wrong with the files of a replica: the first problem of each. */
export class Findings {
  readonly #problems = new Map<string, ReplicaError>()
  readonly #options: VerifyOptions

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  /** Does something with a file, and notes what is wrong with it, or with the file that the error names. */
  async examine<T>(path: string, run: () => Promise<T>): Promise<T | null> {
    this.#options.signal?.throwIfAborted()
    this.#options.onProgress?.({ file: path })
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error
      this.note(error, path)
      return null
    }
  }

  /** Notes a problem of the file that the error names, or of another. */
  note(problem: ReplicaError, path = problem.path ?? ''): void {
    const blamed = problem.path ?? path
    if (!this.#problems.has(blamed)) this.#problems.set(blamed, problem)
  }

  /** What is wrong with a file; `null` if nothing is. */
  of(path: string): ReplicaError | null {
    return this.#problems.get(path) ?? null
  }

  /** Whether a file has gone since it was listed. */
  get hasGone(): boolean {
    return [...this.#problems.values()].some(({ code }) => code === 'ENOENT')
  }
}
