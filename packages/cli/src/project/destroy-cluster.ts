import type { Cluster } from '@howdah/cluster'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../program/command.ts'
import { Waiting } from '../program/waiting.ts'
import { patienceOf } from '../opening/patience-of.ts'

/**
 * Destroys a cluster for a command, and saves what it was unless that is not wanted, so that `howdah undo` brings it back.
 * Whether there was one.
 */
export async function destroyCluster(
  context: Context,
  cluster: Cluster,
  by: string,
): Promise<boolean> {
  const { output, options } = context
  output.progress.show(`destroying ${cluster.dataDir}`)
  using waiting = new Waiting(output, 'to start or stop PostgreSQL')
  const ending = { ...patienceOf(context), onWait: waiting.onWait }
  const isToBeKept = options.save !== false && existsSync(join(cluster.dataDir, 'PG_VERSION'))
  if (!isToBeKept || existsSync(join(cluster.dataDir, 'howdah.throwaway')))
    return (await cluster.destroy(ending)) === 'modified'
  const { SavedClusters } = await import('@howdah/backup')
  await new SavedClusters(cluster.dataDir).keep(cluster, by, ending)
  return true
}

/** What is said when something has been saved. */
export const isKept = 'it is kept for 7 days: "howdah undo" brings it back'
