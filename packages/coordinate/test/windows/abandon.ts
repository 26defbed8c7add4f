import type { Guard, Paths } from '@howdah/coordinate'
import { acquire } from '@howdah/lock'

/** Has a user of this process go as if it were killed: the server is left to its watchdog. */
export async function abandon(
  guard: Guard<never>,
  { change }: Pick<Paths, 'change'>,
): Promise<void> {
  using _ = await acquire(change)
  await abandonUnder(guard)
}

/** The same, while this process holds change. */
export async function abandonUnder(guard: Guard<never>): Promise<void> {
  const outcome = await guard.leave({ timeout: 0 }).catch((error: unknown) => error)
  const { code } = outcome as { code?: string }
  if (code !== 'ERR_COORDINATE_TIMEOUT') throw new Error('it has left', { cause: outcome })
}
