import { setTimeout as sleep } from 'node:timers/promises'
import { liveness } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { isChild, processesIn, type WorkingProcess } from './postgres-processes.ts'

/**
 * Ends what a killed postmaster has left, and waits until it is gone: backends that are busy, have not noticed yet, and
 * hold its shared memory, so that no server can start. Known by their executable and by where they work; on Linux only.
 *
 * Only to be called while no postmaster runs, under the change and use locks. SIGQUIT ends a backend at once; what it
 * was doing was lost with its postmaster. Returns those that are still there after `timeout` ms, or may not be signalled.
 */
export async function endOrphans(
  directory: DataDirectory,
  timeout = 5_000,
): Promise<WorkingProcess[]> {
  const deadline = performance.now() + timeout
  const all = await processesIn(directory.path)
  // Those of a container have a postmaster of their own, which cannot be judged from here.
  const orphans = all.every(isChild) ? all.filter(({ isNested }) => !isNested) : []
  for (const { identity } of orphans) {
    try {
      if (liveness(identity) === 'alive') process.kill(identity.pid, 'SIGQUIT')
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
  const left = () => orphans.filter(({ identity }) => liveness(identity) !== 'dead')
  while (left().length > 0 && performance.now() < deadline) await sleep(5)
  return left()
}
