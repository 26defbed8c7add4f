/** The `code` of an error, such as the system's `ENOENT` or a package's `ERR_LOCK_TIMEOUT`; empty if the error has none. */
export function errno(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
