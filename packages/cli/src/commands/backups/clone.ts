import { cloneCluster } from '@howdah/backup'
import { readSystemIdentifier } from '@howdah/cluster'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { keepOutOfGit, namedDataDirectory } from '../../opening/default-data-directory.ts'
import { describeProgress } from '../../opening/describe-progress.ts'
import { exitStatus } from '../../exit-status.ts'
import { whileStarting } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'

/** Copies the cluster into another data directory, as an independent cluster. */
export async function clone(context: Context): Promise<number> {
  const { io, output, options } = context
  const { to = '' } = options
  const open = openCluster(context)
  const copy = await whileStarting(context, open, async ({ signal, waitTimeout, onWait }) => {
    return await cloneCluster(open.cluster, {
      to: fullPath(io, to),
      signal,
      waitTimeout,
      onWait,
      onProgress: (progress) => output.progress.show(describeProgress(progress)),
    })
  })
  await keepOutOfGit(namedDataDirectory(copy.dataDir))
  const systemIdentifier = String(await readSystemIdentifier(copy.dataDir))
  const from = open.cluster.dataDir
  if (options.json) await output.json({ dataDir: copy.dataDir, from, systemIdentifier })
  else output.message(`cloned ${from} into ${copy.dataDir}`)
  return exitStatus.done
}
