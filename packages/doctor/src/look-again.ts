/** How often something may vanish under our eyes before that is said. */
const attempts = 5

/**
 * Looks at what others may end or remove meanwhile. If something vanishes while it is looked at, that is not a failure: the
 * whole look is repeated, and does not find it any more.
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

/** Whether an error, or what has led to it, says that a file or a process is not there. */
function hasVanished(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return ['ENOENT', 'ESRCH', 'ESTALE'].includes(code ?? '') || hasVanished(error.cause)
}
