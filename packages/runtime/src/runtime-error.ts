/**
 * The base of every error that this package throws on purpose.
 *
 * Tell them apart by `code`, which is permanent; the README has a table of them.
 */
export class RuntimeError extends Error {
  readonly code: `ERR_RUNTIME_${string}`

  constructor(code: `ERR_RUNTIME_${string}`, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}
