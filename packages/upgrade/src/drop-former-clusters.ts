import type { Cluster, WaitingOptions } from '@howdah/cluster'
import { clusterMissing, insideOf, inUse } from '@howdah/cluster/inside'
import { DataDirectory, shellWord, explained } from '@howdah/data-directory'
import { version } from '@howdah/runtime'
import { settle } from './place/leftovers.ts'
import {
  removeTablespaceDirectories,
  tablespaceDirectories,
} from './place/tablespace-directories.ts'
import { UpgradePlace } from './place/upgrade-place.ts'

/**
 * Removes the old clusters that upgrades of this one have kept beside it, and gives their paths.
 *
 * Throws `ERR_CLUSTER_MISSING`, and `ERR_CLUSTER_IN_USE` if a server runs on one of them.
 */
export async function dropFormerClusters(
  cluster: Cluster,
  options: WaitingOptions = {},
): Promise<string[]> {
  return await explained(cluster.dataDir, async () => {
    if (!(await cluster.exists())) throw clusterMissing(cluster.dataDir)
    const { another } = insideOf(cluster)
    const place = new UpgradePlace(cluster.dataDir)
    await settle(place, (path) => another(path), options)
    const dropped: string[] = []
    for (const { path, major } of place.formers()) {
      const former = another(path, { runtime: version(major) })
      const directory = new DataDirectory(path)
      const isWreck = await directory.has(directory.wreck)
      if (!isWreck && (await former.version())?.major !== major) continue
      if (!isWreck && (await former.running())) {
        const cure = `stop it first: howdah stop -D ${shellWord(path)}`
        throw inUse(path, await former.users(), 'remove', cure)
      }
      await removeTablespaceDirectories(tablespaceDirectories(path, major))
      await former.destroy({ ...options, force: true })
      dropped.push(path)
    }
    return dropped
  })
}
