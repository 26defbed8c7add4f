import type { Cluster } from '@howdah/cluster'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../program/command.ts'
import { patienceOf } from '../opening/patience-of.ts'

/**
 * Destroys a cluster. Saves it first for `howdah undo`, unless the user gave `--no-save`. Returns whether there was a
 * cluster.
 */
export async function destroyCluster(
  context: Context,
  cluster: Cluster,
  by: string,
): Promise<boolean> {
  const { output } = context
  output.progress.show(`destroying ${cluster.dataDir}`)
  const ending = patienceOf(context)
  if (!isToBeSaved(context, cluster)) return (await cluster.destroy(ending)) === 'modified'
  const { SavedClusters } = await import('@howdah/backup')
  await new SavedClusters(cluster.dataDir).keep(cluster, by, ending)
  return true
}

/** Replaces an existing cluster by another one. Saves the old cluster first, unless the user gave `--no-save`. */
export async function replaceCluster<Made>(
  context: Context,
  cluster: Cluster,
  by: string,
  make: (elsewhere: Cluster) => Promise<Made>,
): Promise<Made> {
  const { SavedClusters } = await import('@howdah/backup')
  return await new SavedClusters(cluster.dataDir).replace(cluster, by, make, {
    ...patienceOf(context),
    save: isToBeSaved(context, cluster),
  })
}

function isToBeSaved({ options }: Context, { dataDir }: Cluster): boolean {
  return (
    options.save !== false &&
    existsSync(join(dataDir, 'PG_VERSION')) &&
    !existsSync(join(dataDir, 'howdah.throwaway'))
  )
}

/** The message after a cluster or database was saved. */
export const isSaved = 'it is saved for 7 days: "howdah undo" brings it back'

/** The question before a cluster is destroyed. */
export function questionAbout(dataDir: string): string {
  return `destroy the cluster in ${dataDir}, with all its data?`
}
