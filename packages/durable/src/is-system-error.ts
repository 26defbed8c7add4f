/**
 * Whether an error is one of the system's, by its shape: in Jest and other sandboxes those of `node:fs` are of another realm, and
 * so not `instanceof Error`.
 */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error
}
