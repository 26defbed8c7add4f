/** The facts about a database or template, stored as its comment, which every client of the server can read. */
export interface Label {
  /** The version of this format. */
  readonly howdah: 1
  readonly kind: 'building' | 'failed' | 'template' | 'ready' | 'used' | 'kept'
  /** The project of the tests; see `TestDatabasesOptions.name`. */
  readonly project: string
  /** The process, as `pid@host`; for a template the process that made it. */
  readonly user: string
  /** For a database: its template. */
  readonly template?: string | undefined
  /** For a used database: its test. */
  readonly test?: string | undefined
  /**
   * The time at which the label was written, or for a template the time of its last use, by the server's clock, in seconds
   * since 1970.
   */
  readonly at?: number
  /** For a template: hashes of its files and of everything else, for templates that start from it. */
  readonly base?: string
  readonly chain?: readonly string[]
  /** For a template: whether later servers may have it, because it is known what it depends on. */
  readonly isLasting?: boolean
  /** For a failed template: the message, and the transaction in which it was written. */
  readonly failure?: string
  readonly transaction?: string
}

/** A label as an SQL literal. */
export function labelSql(label: Label): string {
  const json = JSON.stringify(label).replaceAll('\\', '\\\\').replaceAll("'", "''")
  return `E'${json}'`
}

/** Parses the label in a comment; `null` if it is not one of ours. */
export function readLabel(comment: string | null): Label | null {
  if (comment === null || !comment.startsWith('{')) return null
  try {
    const found = JSON.parse(comment) as Label
    return found.howdah === 1 ? found : null
  } catch {
    return null
  }
}
