import { setTimeout as sleep } from 'node:timers/promises'
import { liveness } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { isChild, processesIn, type WorkingProcess } from './postgres-processes.ts'

/**
 * Ends the processes that a killed postmaster has left, and waits until they are gone. They are busy backends that have not
 * noticed its death yet; they hold its shared memory, so no server can start. They are recognized by their executable and
 * their working directory, on Linux only.
 *
 * Call it only while no postmaster runs, under the change and use locks. SIGQUIT ends a backend at once; its work was lost
 * with its postmaster. Returns the processes that still run after `timeout` ms or cannot be signalled.
 */
export async function endOrphans(
  directory: DataDirectory,
  timeout = 5_000,
): Promise<WorkingProcess[]> {
  const deadline = performance.now() + timeout
  const all = await processesIn(directory.path)
  // Processes in a container may have a postmaster there, which cannot be judged from here.
  const orphans = all.every(isChild) ? all.filter(({ isNested }) => !isNested) : []
  for (const { identity } of orphans) {
    try {
      if (liveness(identity) === 'alive') process.kill(identity.pid, 'SIGQUIT')
    } catch {
      // The process has ended meanwhile, or belongs to another user.
    }
  }
  const left = () => orphans.filter(({ identity }) => liveness(identity) !== 'dead')
  while (left().length > 0 && performance.now() < deadline) await sleep(5)
  return left()
}
