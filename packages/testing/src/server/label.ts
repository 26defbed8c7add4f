/** What we write down about a database or template, as its comment, where anybody on the server can read it. */
export interface Label {
  /** The version of this format. */
  readonly howdah: 1
  readonly kind: 'building' | 'failed' | 'template' | 'ready' | 'used' | 'kept'
  /** Whose tests they are; see `TestDatabasesOptions.name`. */
  readonly project: string
  /** The process, as `pid@host`; of a template, the one that made it. */
  readonly user: string
  /** Of a database: the template that it is a copy of. */
  readonly template?: string | undefined
  /** Of a database that is used: what for. */
  readonly test?: string | undefined
  /** By the server's clock, in seconds since 1970: when the label was written; of a template, when it was last used. */
  readonly at?: number
  /** Of a template: hashes of its files, and of all else, for those that start from it. */
  readonly base?: string
  readonly chain?: readonly string[]
  /** Of a failed template: what happened, and the transaction in which it was written down. */
  readonly failure?: string
  readonly transaction?: string
}

/** A label as a literal of SQL. */
export function labelSql(label: Label): string {
  const json = JSON.stringify(label).replaceAll('\\', '\\\\').replaceAll("'", "''")
  return `E'${json}'`
}

/** The label in a comment; `null` if it is none of ours. */
export function readLabel(comment: string | null): Label | null {
  if (comment === null || !comment.startsWith('{')) return null
  try {
    const found = JSON.parse(comment) as Label
    return found.howdah === 1 ? found : null
  } catch {
    return null
  }
}
