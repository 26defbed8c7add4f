import { liveness, type Liveness, type ProcessIdentity } from '@howdah/store'
import { isReservation, type Allocation } from './allocation.ts'

/** Tells whether the process of an allocation lives; `'unknown'` counts as alive. */
export type Probe = (allocation: Allocation) => Liveness

/**
 * Gives a function that tells whether an allocation is over: its process is dead, or it is an expired reservation. Until a
 * reservation is adopted, it belongs to the process that made it. Each process is looked at once.
 */
export function staleness(probe: Probe = liveness): (allocation: Allocation) => boolean {
  const now = Date.now()
  const seen = new Map<number, { process: ProcessIdentity; verdict: Liveness }[]>()
  return (allocation) => {
    if (isReservation(allocation) && !(Date.parse(allocation.expiresAt ?? '') > now)) return true
    const ofPid = seen.get(allocation.pid) ?? []
    let known = ofPid.find(({ process }) => isEqual(process, allocation))
    if (known === undefined) {
      known = { process: allocation, verdict: probe(allocation) }
      seen.set(allocation.pid, [...ofPid, known])
    }
    return known.verdict === 'dead'
  }
}

function isEqual(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return (
    one.startTime === other.startTime &&
    one.bootId === other.bootId &&
    one.pidNamespace === other.pidNamespace &&
    one.machineId === other.machineId
  )
}
