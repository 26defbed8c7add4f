/** What every error of this package has: a permanent code, and a message that ends in a remedy. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
  /** Permanent and safe to match on; the README has the table. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The command line asks for what cannot be: exit status 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super('ERR_CLI_USAGE', message)
  }
}

/** The place where the cluster would go by default belongs to somebody else. */
export class ForeignDirectoryError extends CliError {
  override readonly name = 'ForeignDirectoryError'
  readonly path: string

  constructor(path: string, why: string) {
    super(
      'ERR_CLI_FOREIGN_DIRECTORY',
      `${path} ${why}, so that what lies in it is not trusted; choose a data directory with -D`,
    )
    this.path = path
  }
}
