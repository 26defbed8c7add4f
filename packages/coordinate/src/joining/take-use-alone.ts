import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { doesNotExist } from '../errors.ts'
import { takeUse } from './join.ts'
import type { Waiting } from './waiting.ts'

/**
 * How many times to try. A watchdog that came in between may be the reason of a refusal. The next try waits for the watchdog,
 * so only users can be the reason then.
 */
const tries = 2

/**
 * Takes the use lock exclusively, under change. Gives `null` if somebody uses the subject. Waits for a watchdog that is
 * stopping it.
 *
 * With `force` it always succeeds, but with a shared lock if others use the subject.
 */
export async function takeUseAlone<Options>(
  coordinated: Coordinated<Options>,
  waiting: Waiting,
  force: boolean,
): Promise<Lock | null> {
  for (let attempt = 1; ; attempt++) {
    // The lock is first taken shared, which only a watchdog can delay.
    const use = await takeUse(coordinated, 'shared', waiting)
    if (use === null) throw doesNotExist(coordinated.paths.use)
    if (attempt > tries) return use
    if (use.upgradeOrRelease()) return use
    if (attempt === tries && !force) return null
  }
}
