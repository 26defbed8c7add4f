import { type Cluster, postgres } from '@howdah/cluster'
import { clientOptions, findAddress, insideOf } from '@howdah/cluster/inside'
import type { ReachableServer } from './test-server.ts'

/** The prefix of the names of data directories of our own servers for tests. */
export const ownServerPrefix = 'testing-'

/** One of our own servers, without becoming one of its users. Its programs need not be found, because it runs. */
export async function runningServer(cluster: Cluster): Promise<ReachableServer> {
  const address = await findAddress(insideOf(cluster).directory, false)
  return {
    administrative: [postgres],
    clientOptions: (database) => clientOptions(address, database, {}),
  }
}
