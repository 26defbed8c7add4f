import { setTimeout as sleep } from 'node:timers/promises'
import { endServer, Stillness } from '@howdah/coordinate'
import { liveness } from '@howdah/lock'
import { Cluster } from '@howdah/cluster'
import { type DataDirectory, findPostmaster, type Postmaster } from '@howdah/data-directory'
import { longestStillness } from '@howdah/cluster/inside'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** Servers that were told to stop and stand still instead, as after a crash of one of their processes. */
export const stuckServers: Check = {
  name: 'stuck-servers',
  examine: async (scene) =>
    await ofEach(scene, async (directory) => {
      const stuck = await stuckServer(directory)
      if (stuck === null) return []
      const { path } = directory
      const { pid } = stuck.identity
      const status = await new Cluster(path, { strategy: scene.strategy }).status()
      const isOurs = status.state === 'running' && status.ours && status.pid === pid
      return [
        {
          severity: 'error',
          subject: { path, pid },
          what: `the server on ${path} (pid ${pid}) was told to stop, and stands still`,
          cure: `end it with: kill -QUIT ${pid}; its next start recovers, and nothing is lost that was committed`,
          mend: isOurs ? async () => await quit(directory, stuck) : undefined,
        } satisfies Complaint,
      ]
    }),
}

async function stuckServer(directory: DataDirectory): Promise<Postmaster | null> {
  const postmaster = await findPostmaster(directory)
  if (postmaster?.file.status !== 'stopping') return null
  const still = new Stillness(postmaster.identity.pid)
  // A server that sometimes moves is left alone after twice that time.
  for (const deadline = performance.now() + 2 * longestStillness; performance.now() < deadline;) {
    if (liveness(postmaster.identity) === 'dead') return null
    if (still.lasts() >= longestStillness) return postmaster
    await sleep(300)
  }
  return null
}

async function quit(directory: DataDirectory, { identity }: Postmaster): Promise<string | null> {
  const now = await findPostmaster(directory)
  if (now === null || now.identity.startTime !== identity.startTime) return null
  const end = await endServer(identity, { signal: 'SIGQUIT', timeout: 15_000 })
  return end === 'alive' ? 'it was told to quit, and has not ended within 15 s' : null
}
