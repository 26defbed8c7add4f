/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type TestingErrorCode =
  | 'ERR_TESTING_CONNECTIONS'
  | 'ERR_TESTING_ENDED'
  | 'ERR_TESTING_KEY'
  | 'ERR_TESTING_MIGRATE'
  | 'ERR_TESTING_NO_SPACE'
  | 'ERR_TESTING_OPTION'
  | 'ERR_TESTING_RESET_BLOCKED'
  | 'ERR_TESTING_SCHEMA_CHANGED'
  | 'ERR_TESTING_SERVER'
  | 'ERR_TESTING_TEMPLATE_IN_USE'
  | 'ERR_TESTING_TIMEOUT'

/**
 * The class of all errors of this package. `code` says what happened; PostgreSQL's own error, if there is one, is the
 * `cause`.
 */
export class TestingError extends Error {
  override readonly name = 'TestingError'
  readonly code: TestingErrorCode

  constructor(code: TestingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
