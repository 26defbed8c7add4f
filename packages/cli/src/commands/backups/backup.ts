import { backUpCluster } from '@howdah/backup'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { megabytes } from '../../opening/describe-progress.ts'
import { followBackup } from '../../opening/follow-backup.ts'
import { exitStatus } from '../../exit-status.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { provideRuntime } from '../../opening/runtime/provide-runtime.ts'

/** Backs up the cluster into a directory, and makes the server archive its WAL there from then on. */
export async function backup(context: Context): Promise<number> {
  const { io, output, options } = context
  const open = openCluster(context)
  if (options.install) await provideRuntime(context, open)
  const made = await backUpCluster(open.cluster, {
    into: fullPath(io, options.into ?? ''),
    keep: options.keep,
    timeout: options.timeout,
    waitTimeout: options.timeout,
    ...followBackup(context, 'to back up, or to start or stop PostgreSQL'),
  }).finally(() => output.progress.clear())
  if (options.json) await output.json(made)
  else {
    output.message(
      `backed up ${open.cluster.dataDir} into ${made.path}: ${megabytes(made.size)} MB`,
    )
    for (const number of made.expired) output.message(`removed backup ${number}`)
  }
  return exitStatus.done
}
