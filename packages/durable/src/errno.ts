/** The code of a system error, such as `ENOENT`; an empty string where there is none. */
export function errno(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
