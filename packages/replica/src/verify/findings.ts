import { ReplicaError } from '../errors.ts'
import type { VerifyOptions } from './verify-options.ts'

/** The problems of a replica's files: the first one of each file. */
export class Findings {
  readonly #problems = new Map<string, ReplicaError>()
  readonly #options: VerifyOptions

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  /** Runs a check of a file, and notes its problem, or the problem of the file that the error names. */
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

  /** Notes a problem of the file that the error names, or of the given file. */
  note(problem: ReplicaError, path = problem.path ?? ''): void {
    const blamed = problem.path ?? path
    if (!this.#problems.has(blamed)) this.#problems.set(blamed, problem)
  }

  /** The problem of a file; `null` if it has none. */
  of(path: string): ReplicaError | null {
    return this.#problems.get(path) ?? null
  }

  /** Whether a file was deleted after it was listed. */
  get hasGone(): boolean {
    return [...this.#problems.values()].some(({ code }) => code === 'ENOENT')
  }
}
