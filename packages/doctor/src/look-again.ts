/** How many times things may vanish during a look before this is an error. */
const attempts = 5

/**
 * Looks at things that others may end or remove meanwhile. If something vanishes while it is looked at, the whole look is
 * repeated, and does not find it any more.
 */
export async function lookAgain<Result>(look: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await look()
    } catch (error) {
      if (attempt === attempts || !hasVanished(error)) throw error
    }
  }
}

/** Whether an error or one of its causes says that a file or a process is missing. */
function hasVanished(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return ['ENOENT', 'ESRCH', 'ESTALE'].includes(code ?? '') || hasVanished(error.cause)
}
