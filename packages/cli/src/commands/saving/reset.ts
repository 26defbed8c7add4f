import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { destroyCluster, isSaved } from '../../project/destroy-cluster.ts'
import { whileStarting } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { beginsEmpty, originalOf } from '../../project/provide-fork.ts'

/** Replaces the cluster of a linked worktree by a fork of the main checkout's cluster, or by an empty one. */
export async function reset(context: Context): Promise<number> {
  const { output, options } = context
  const open = openCluster(context)
  const { cluster, place } = open
  if (place.found?.kind !== 'linked-worktree' || place.project !== place.found.howdahDirectory) {
    throw misused(
      `reset: ${cluster.dataDir} is not the cluster of a linked worktree; "howdah destroy" removes it, and the next use makes a new one`,
    )
  }
  if (originalOf(context, open) === null && !beginsEmpty(context, open)) {
    throw misused('reset: the main checkout has no cluster to fork; use --empty for an empty one')
  }
  const changed = await destroyCluster(context, cluster, 'reset')
  const former = changed && options.save !== false ? `what was there: ${isSaved}` : null
  try {
    // This forks the main checkout's cluster, unless `--empty` is given.
    await whileStarting(context, open, async (run) => await cluster.create(run))
  } catch (error) {
    if (former !== null) output.message(former)
    throw error
  }
  if (options.json) await output.json({ changed, dataDir: cluster.dataDir })
  else output.message(`made ${cluster.dataDir} anew${former === null ? '' : `; ${former}`}`)
  return exitStatus.done
}
