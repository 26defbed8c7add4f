/** The codes of this package's errors. They are permanent: match on them, not on messages. */
export type DumpErrorCode =
  | 'ERR_DUMP_FAILED'
  | 'ERR_DUMP_OPTION'
  | 'ERR_LOAD_COMMAND'
  | 'ERR_LOAD_ENCODING'
  | 'ERR_LOAD_FAILED'
  | 'ERR_LOAD_FORMAT'
  | 'ERR_LOAD_OPTION'
  | 'ERR_LOAD_UNREADABLE'

/** An error of this package. `code` says what happened. */
export class DumpError extends Error {
  override readonly name = 'DumpError'
  readonly code: DumpErrorCode
  /** The file that was loaded, by the name that the caller gave. */
  readonly path?: string
  /** The line of that file, from 1. */
  readonly line?: number

  constructor(
    code: DumpErrorCode,
    message: string,
    details: { path?: string | undefined; line?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.path !== undefined) this.path = details.path
    if (details.line !== undefined) this.line = details.line
  }
}
