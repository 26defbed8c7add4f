import type { Lock } from '@howdah/lock'
import { convertToExclusive } from './convert-to-exclusive.ts'
import type { Coordinated } from './coordinated.ts'
import { DoesNotExistError } from './errors.ts'
import { takeUse } from './join.ts'
import type { Waiting } from './waiting.ts'

/**
 * The use lock, exclusively, under change: `null` when somebody uses the subject. A watchdog that is just stopping it is
 * waited for.
 *
 * By force it is had in any case: shared, where others use it.
 */
export async function takeUseAlone<Options>(
  coordinated: Coordinated<Options>,
  waiting: Waiting,
  force: boolean,
): Promise<Lock | null> {
  for (;;) {
    // Shared first, which only a watchdog can delay.
    const use = await takeUse(coordinated, 'shared', waiting)
    if (use === null) throw new DoesNotExistError(coordinated.place.use)
    if (convertToExclusive(use)) return use
    if (!use.held) continue
    if (force) return use
    use.release()
    return null
  }
}
