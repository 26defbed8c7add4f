import type { Context } from '../program/command.ts'
import { exitStatus } from '../exit-status.ts'
import { openCluster } from '../opening/open-cluster.ts'
import { patienceOf } from '../opening/patience-of.ts'

/** Stops the server, if nobody uses it. */
export async function stop(context: Context): Promise<number> {
  const { output, options } = context
  const { cluster } = openCluster(context)
  output.progress.show(`stopping PostgreSQL on ${cluster.dataDir}`)
  const outcome = await cluster.stop(patienceOf(context))
  const changed = outcome === 'modified'
  if (options.json) await output.json({ changed, dataDir: cluster.dataDir })
  else
    output.message(
      changed ? `stopped PostgreSQL on ${cluster.dataDir}` : `${cluster.dataDir}: was not running`,
    )
  return exitStatus.done
}
