import { errno } from '@howdah/durable'
import { tryAcquire } from '@howdah/lock'
import { inUseElsewhere } from '../errors.ts'
import type { Place } from '../place.ts'
import { readRecord } from '../record/record.ts'
import { isOfElsewhere, isServed } from '../launch/server-lock.ts'
import type { Waiting } from '../joining/waiting.ts'

/** In ms: a watchdog sees within 1 s that the server which it lets linger has crashed. */
const patience = 2_000

/**
 * Waits for the end of a watchdog of another container whose server has crashed: it could not see a server of ours. Before
 * any lock is taken, because it needs them to end. If there are users it stays, and {@link refuseWatchdogElsewhere} refuses.
 *
 * Gives whether there was one.
 */
export async function awaitWatchdogElsewhere(place: Place, waiting: Waiting): Promise<boolean> {
  if (!(await isWatchedElsewhere(place))) return false
  const deadline = performance.now() + Math.min(patience, waiting.left ?? patience)
  const waitedFor = 'the watchdog of another container to end'
  await waiting.until('process', place.watchdog, waitedFor, async () => {
    const isOver = performance.now() >= deadline || !(await isWatchedElsewhere(place))
    return isOver ? true : null
  })
  return true
}

/** Throws `ERR_COORDINATE_ELSEWHERE` if there is one still. Under change, before a server is started. */
export async function refuseWatchdogElsewhere(place: Place): Promise<void> {
  if (await isWatchedElsewhere(place)) {
    throw inUseElsewhere(place.change, readRecord(place))
  }
}

/** The last server says of which container the watchdog is: it is started with one, and ends with it. */
export async function isWatchedElsewhere(place: Place): Promise<boolean> {
  if (!isOfElsewhere(readRecord(place)) || (await isServed(place))) return false
  try {
    const lock = await tryAcquire(place.watchdog, { create: false })
    lock?.release()
    return lock === null
  } catch (error) {
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return false
    throw error
  }
}
