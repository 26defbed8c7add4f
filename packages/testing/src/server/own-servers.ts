import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, postgres } from '@howdah/cluster'
import { clientOptions, findAddress, insideOf } from '@howdah/cluster/inside'
import type { ReachableServer } from './test-server.ts'

/** The prefix of the names of data directories of our own servers for tests. */
export const ownServerPrefix = 'testing-'

/** How long a server may take to say where it listens, in ms. */
const patience = 5000

/** One of our own servers, without becoming one of its users. Its programs need not be found, because it runs. */
export async function runningServer(cluster: Cluster): Promise<ReachableServer> {
  const address = await toldAddress(cluster)
  return {
    administrative: [postgres],
    clientOptions: (database) => clientOptions(address, database, {}),
  }
}

/** The address of one of our own servers. All have sockets, and one that is starting says a moment later which. */
async function toldAddress(cluster: Cluster): ReturnType<typeof findAddress> {
  const end = performance.now() + patience
  for (;;) {
    try {
      return await findAddress(insideOf(cluster).directory, false)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ERR_CLUSTER_NO_TCP' || performance.now() > end) throw error
      await sleep(20)
    }
  }
}
