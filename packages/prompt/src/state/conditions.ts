/** A branch of `\if`. */
interface Branch {
  /** Whether it is run. */
  readonly isActive: boolean
  /** Whether this or an earlier branch of the same `\if` was run, or none may be. */
  readonly isDecided: boolean
  /** Whether it is that of `\else`. */
  readonly isLast: boolean
  /** The query before it. */
  readonly query: string
}

/** The branches of `\if` that are open. */
export class Conditions {
  readonly #branches: Branch[] = []

  /** Whether what comes is run. */
  get isActive(): boolean {
    return this.#branches.at(-1)?.isActive ?? true
  }

  get isEmpty(): boolean {
    return this.#branches.length === 0
  }

  /** Begins an `\if`. Its condition is asked only if it counts. */
  async open(query: string, condition: () => Promise<boolean>): Promise<void> {
    const mayRun = this.isActive
    const holds = mayRun && (await condition())
    this.#branches.push({ isActive: holds, isDecided: holds || !mayRun, isLast: false, query })
  }

  /** Goes on to the next branch. Gives the query to go on with, or a complaint. */
  async next(
    name: 'elif' | 'else',
    query: string,
    condition: () => Promise<boolean>,
  ): Promise<{ query: string } | { complaint: string }> {
    const branch = this.#branches.at(-1)
    if (branch === undefined) return { complaint: `\\${name}: no matching \\if` }
    if (branch.isLast) return { complaint: `\\${name}: cannot occur after \\else` }
    const kept = branch.isActive ? query : branch.query
    const holds = !branch.isDecided && (await condition())
    this.#branches.pop()
    this.#branches.push({
      isActive: holds,
      isDecided: branch.isDecided || holds,
      isLast: name === 'else',
      query: kept,
    })
    return { query: kept }
  }

  /** Ends an `\if`. */
  close(query: string): { query: string } | { complaint: string } {
    const branch = this.#branches.pop()
    if (branch === undefined) return { complaint: String.raw`\endif: no matching \if` }
    return { query: branch.isActive ? query : branch.query }
  }

  /** Forgets the innermost one, as Ctrl-C does. */
  drop(): void {
    this.#branches.pop()
  }
}
