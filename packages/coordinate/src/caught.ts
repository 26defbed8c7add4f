/** The `code` of what was caught, or `undefined`. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

/** The message of what was caught. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
