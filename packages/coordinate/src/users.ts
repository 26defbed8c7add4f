import type { User } from './user.ts'
import { inspect } from '@howdah/lock'
import type { Place } from './place.ts'

/**
 * Who uses the subject just now: the processes that hold the use lock. The watchdog is none of them.
 *
 * For messages; what it says may be over when it is read. Takes no lock and makes no file. Rejects with
 * `ERR_LOCK_UNSUPPORTED` if the system does not tell who holds a lock (macOS).
 */
export async function users(place: Pick<Place, 'use'>): Promise<User[]> {
  const { holders } = await inspect(place.use)
  return holders
    .filter(({ mode }) => mode === 'shared')
    .map(({ pid, command }) => ({ pid, command }))
}

/** {@link users}, for an error's message: nobody if it cannot be told. */
export async function usersIfKnown(place: Place): Promise<User[]> {
  try {
    return await users(place)
  } catch {
    return []
  }
}
