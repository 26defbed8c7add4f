import type { Context } from '../program/command.ts'
import { confirm } from '../output/confirm.ts'
import { exitStatus } from '../exit-status.ts'
import { destroyCluster, isSaved, questionAbout } from '../project/destroy-cluster.ts'
import { openCluster } from '../opening/open-cluster.ts'

/** Stops the server, if nobody uses it, and removes the cluster with all its data. The data is saved for a while. */
export async function destroy(context: Context): Promise<number> {
  const { output, options } = context
  const { cluster } = openCluster(context)
  if ((await cluster.exists()) && !(await confirm(context, questionAbout(cluster.dataDir)))) {
    output.message('nothing was changed')
    return exitStatus.failed
  }
  const changed = await destroyCluster(context, cluster, 'destroy')
  if (options.json) await output.json({ changed, dataDir: cluster.dataDir })
  else if (!changed) output.message(`${cluster.dataDir}: there was no cluster`)
  else {
    output.message(`destroyed ${cluster.dataDir}${options.save === false ? '' : `; ${isSaved}`}`)
  }
  return exitStatus.done
}
