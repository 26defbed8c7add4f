import { inUseElsewhere } from '../errors.ts'
import type { Paths } from '../paths.ts'
import { readRecord } from '../record/record.ts'
import { isHeld } from '../launch/is-held.ts'
import { isOfElsewhere, isServed } from '../launch/server-lock.ts'
import type { Waiting } from '../joining/waiting.ts'

/** How long to wait, in ms. A watchdog notices within 1 s that its lingering server has crashed, and later on a busy machine. */
const patience = 4_000

/**
 * Waits for the end of a watchdog of another container whose server has crashed: it could not see a server of ours. Before
 * any lock is taken, because it needs them to end. If there are users it stays, and {@link refuseWatchdogElsewhere} refuses.
 *
 * Gives whether there was such a watchdog.
 */
export async function awaitWatchdogElsewhere(paths: Paths, waiting: Waiting): Promise<boolean> {
  if (!(await isWatchedElsewhere(paths))) return false
  const deadline = performance.now() + Math.min(patience, waiting.remaining ?? patience)
  const waitedFor = 'the watchdog of another container to end'
  await waiting.until('process', paths.watchdog, waitedFor, async () => {
    const isOver = performance.now() >= deadline || !(await isWatchedElsewhere(paths))
    return isOver ? true : null
  })
  return true
}

/**
 * Throws `ERR_COORDINATE_ELSEWHERE` if a watchdog in another container still runs. Called under change, before a server is
 * started.
 */
export async function refuseWatchdogElsewhere(paths: Paths): Promise<void> {
  if (await isWatchedElsewhere(paths)) {
    throw inUseElsewhere(paths.change, readRecord(paths))
  }
}

/**
 * Whether a watchdog runs in another container. A watchdog starts and ends with its server, so the record of the last server
 * tells its container.
 */
export async function isWatchedElsewhere(paths: Paths): Promise<boolean> {
  if (!isOfElsewhere(readRecord(paths)) || (await isServed(paths))) return false
  return await isHeld(paths.watchdog, 'exclusive')
}
