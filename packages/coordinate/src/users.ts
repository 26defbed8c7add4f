import type { User } from './user.ts'
import { inspect } from '@howdah/lock'
import type { Paths } from './paths.ts'

/**
 * The present users of the subject: the processes that hold the use lock. The watchdog is not one of them.
 *
 * The answer may be out of date when it is read, so use it for messages only. It takes no lock and makes no file. Rejects
 * with
 * `ERR_LOCK_UNSUPPORTED` if the system does not tell who holds a lock (macOS).
 */
export async function users(paths: Pick<Paths, 'use'>): Promise<User[]> {
  const { holders } = await inspect(paths.use)
  return holders
    .filter(({ mode }) => mode === 'shared')
    .map(({ pid, command }) => ({ pid, command }))
}

/** Like {@link users}, for error messages: gives an empty list if the users are unknown. */
export async function usersIfKnown(paths: Paths): Promise<User[]> {
  try {
    return await users(paths)
  } catch {
    return []
  }
}
