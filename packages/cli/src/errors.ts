/** The codes of this package's errors. They are permanent: match on them, not on messages. */
export type CliErrorCode =
  | 'ERR_CLI_FOREIGN_DIRECTORY'
  | 'ERR_CLI_LEASE_HELD'
  | 'ERR_CLI_REMOVED'
  | 'ERR_CLI_USAGE'

/** The class of all errors of this package. An error has a permanent code, and a message that ends in a remedy. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  /** `ERR_CLI_FOREIGN_DIRECTORY`, `ERR_CLI_REMOVED`: the directory. */
  declare readonly path?: string | undefined

  constructor(code: CliErrorCode, message: string, fields: { readonly path?: string } = {}) {
    super(message)
    this.code = code
    Object.assign(this, fields)
  }
}

/** The command line is wrong: exit status 2. */
export function misused(message: string): CliError {
  return new CliError('ERR_CLI_USAGE', message)
}

/** The default place of the cluster belongs to another user. */
export function foreignDirectory(path: string, why: string): CliError {
  return new CliError(
    'ERR_CLI_FOREIGN_DIRECTORY',
    `${path} ${why}, so that what lies in it is not trusted; choose a data directory with -D`,
    { path },
  )
}

/** The directory in which the cluster would be made was removed. */
export function removed(path: string): CliError {
  return new CliError('ERR_CLI_REMOVED', `${path} was removed; change to another directory`, {
    path,
  })
}
