import type { Cluster } from '@howdah/cluster'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { confirm } from '../../output/confirm.ts'
import { exitStatus } from '../../exit-status.ts'
import { isSaved, questionAbout, replaceCluster } from '../../project/destroy-cluster.ts'
import { whileStarting } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { beginsEmpty, originalOf } from '../../project/provide-fork.ts'

/**
 * Replaces the cluster of a project by a new one: in a linked worktree by a fork of the main checkout's, elsewhere by one that
 * is made of the project's settings; or a branch by a copy of the branch that it was copied from. The old cluster stays until
 * the new one is made.
 */
export async function reset(context: Context): Promise<number> {
  const { output, options } = context
  if (options.branch !== undefined) {
    const { resetBranch } = await import('./branch.ts')
    return await resetBranch(context)
  }
  const open = openCluster(context)
  const { cluster, place } = open
  const isOfWorktree =
    place.found?.kind === 'linked-worktree' && place.project === place.found.howdahDirectory
  if (!isOfWorktree && (context.asked === undefined || place.found?.kind === 'linked-worktree')) {
    throw misused(
      `reset: ${cluster.dataDir} is not the cluster of a linked worktree, and there is no howdah.json beside it to make it of; ` +
        '"howdah destroy" removes it, and the next use makes a new one',
    )
  }
  if (isOfWorktree && originalOf(context, open) === null && !beginsEmpty(context, open)) {
    throw misused('reset: the main checkout has no cluster to fork; use --empty for an empty one')
  }
  if (
    !isOfWorktree &&
    (await cluster.exists()) &&
    !(await confirm(context, questionAbout(cluster.dataDir)))
  ) {
    output.message('nothing was changed')
    return exitStatus.failed
  }
  const changed = await cluster.exists()
  const make = async (into: Cluster) => {
    // In a worktree, this forks the main checkout's cluster, unless `--empty` is given.
    await whileStarting(context, { ...open, cluster: into }, async (run) => await into.create(run))
  }
  await (changed ? replaceCluster(context, cluster, 'reset', make) : make(cluster))
  const former = changed && options.save !== false ? `what was there: ${isSaved}` : null
  if (options.json) await output.json({ changed, dataDir: cluster.dataDir })
  else output.message(`made ${cluster.dataDir} anew${former === null ? '' : `; ${former}`}`)
  return exitStatus.done
}
