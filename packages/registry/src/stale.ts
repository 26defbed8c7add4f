import { liveness, type Liveness } from '@howdah/store'
import { isReservation, type Allocation } from './allocation.ts'

/** Tells whether the process of an allocation lives; `'unknown'` counts as alive. */
export type Probe = (allocation: Allocation) => Liveness

/**
 * Gives a function that tells whether an allocation is over: its process is dead, or it is an expired reservation. Until a
 * reservation is adopted, it belongs to the process that made it. Each process is looked at once.
 */
export function staleness(probe: Probe = liveness): (allocation: Allocation) => boolean {
  const now = Date.now()
  const verdicts = new Map<string, Liveness>()
  return (allocation) => {
    if (isReservation(allocation) && !(Date.parse(allocation.expiresAt ?? '') > now)) return true
    const { pid, startTime, bootId, pidNamespace, machineId } = allocation
    const key = JSON.stringify([pid, startTime, bootId, pidNamespace, machineId])
    const verdict = verdicts.get(key) ?? probe(allocation)
    verdicts.set(key, verdict)
    return verdict === 'dead'
  }
}
