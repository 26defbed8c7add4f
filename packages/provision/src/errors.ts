/** The codes of this package's errors. They are permanent: match on them, not on messages. */
export type ProvisionErrorCode =
  | 'ERR_PROVISION_DIRECTORY'
  | 'ERR_PROVISION_FAILED'
  | 'ERR_PROVISION_SCRIPT'
  | 'ERR_PROVISION_SECRET'

/** An error about what the settings of a project ask for. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError'
  readonly code: ProvisionErrorCode
  /** The file with the settings, or for `ERR_PROVISION_DIRECTORY` the directory. */
  readonly path: string
  /** The key in the settings, such as `roles.app`; `null` for `ERR_PROVISION_DIRECTORY`. */
  readonly key: string | null

  constructor(
    code: ProvisionErrorCode,
    { path, key }: { readonly path: string; readonly key: string | null },
    why: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${key === null ? '' : `${key}: `}${why}`, options)
    this.code = code
    this.path = path
    this.key = key
  }
}
