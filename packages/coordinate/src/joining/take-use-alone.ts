import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { doesNotExist } from '../errors.ts'
import { takeUse } from './join.ts'
import type { Waiting } from './waiting.ts'

/**
 * How often it is tried: a refusal may be due to a watchdog that came in between, if the kernel lets it. The next try
 * waits for that one, and then only users can refuse it.
 */
const tries = 2

/**
 * The use lock, exclusively, under change: `null` when somebody uses the subject. A watchdog that is just stopping it is
 * waited for.
 *
 * By force it always succeeds: with a shared lock if others use it.
 */
export async function takeUseAlone<Options>(
  coordinated: Coordinated<Options>,
  waiting: Waiting,
  force: boolean,
): Promise<Lock | null> {
  for (let attempt = 1; ; attempt++) {
    // Shared first, which only a watchdog can delay.
    const use = await takeUse(coordinated, 'shared', waiting)
    if (use === null) throw doesNotExist(coordinated.place.use)
    if (attempt > tries) return use
    if (use.upgradeOrRelease()) return use
    if (attempt === tries && !force) return null
  }
}
