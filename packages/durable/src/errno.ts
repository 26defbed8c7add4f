/** The code of an error: of the system, such as `ENOENT`, or of a package, such as `ERR_LOCK_TIMEOUT`; empty if it has none. */
export function errno(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
