/** The message of an error with those of its causes, because `fetch` and other libraries hide the reason in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const own = error.message === '' ? (code ?? error.name) : error.message.trim()
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(reasonOf).join('; ')
  return error.cause === undefined ? own : `${own}: ${reasonOf(error.cause)}`
}
