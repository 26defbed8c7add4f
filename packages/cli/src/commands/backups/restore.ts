import { type RecoveryTarget, restoreCluster, type Restored } from '@howdah/backup'
import type { Cluster } from '@howdah/cluster'
import { shellWord } from '@howdah/data-directory'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { keepOutOfGit } from '../../opening/default-data-directory.ts'
import { followBackup } from '../../opening/follow-backup.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { momentOf } from '../../opening/moment-of.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { isSaved, replaceCluster } from '../../project/destroy-cluster.ts'
import type { Options } from '../../program/options.ts'

/**
 * Makes a cluster from a backup and the WAL that was archived since, up to a given point or the end. An existing cluster can
 * be used until the new one is complete; then it is saved.
 */
export async function restore(context: Context): Promise<number> {
  const { io, output, options } = context
  const { from = '', to, backup, timeline, timeout } = options
  if (options.time !== undefined) await momentOf('restore', options.time)
  const target = targetOf(options)
  const { cluster, place } = openCluster({
    ...context,
    options: { ...options, datadir: to },
    place: undefined,
  })
  const restoreInto = async (into: Cluster) =>
    await restoreCluster(into, {
      from: fullPath(io, from),
      until: target,
      backup,
      timeline,
      waitTimeout: timeout,
      ...followBackup(context, 'to back up, or to make something of the directory'),
    })
  const isInPlace = await cluster.exists()
  const restored = await (
    isInPlace ? replaceCluster(context, cluster, 'restore', restoreInto) : restoreInto(cluster)
  ).finally(() => output.progress.clear())
  await keepOutOfGit(place)
  if (options.json) await output.json({ dataDir: cluster.dataDir, ...restored })
  else {
    for (const line of describe(cluster.dataDir, restored)) output.message(line)
    if (isInPlace && options.save !== false) output.message(`what was there: ${isSaved}`)
  }
  return exitStatus.done
}

/** The point to restore to; `undefined` for the end. */
function targetOf({
  time,
  transaction,
  name,
  lsn,
  exclusive,
}: Options): RecoveryTarget | undefined {
  const targets = [
    time !== undefined && { time },
    transaction !== undefined && { transaction },
    name !== undefined && { name },
    lsn !== undefined && { lsn },
  ].filter((one) => one !== false)
  const [target, another] = targets
  if (another !== undefined) {
    throw misused(
      'restore: --time, --transaction, --name and --lsn exclude each other; give one of them',
    )
  }
  if (exclusive !== true) return target
  if (target === undefined || 'name' in target) {
    throw misused('restore: --exclusive goes with --time, --transaction or --lsn')
  }
  return { ...target, exclusive }
}

function describe(
  dataDir: string,
  { backup, lsn, lastTransaction, superusers }: Restored,
): string[] {
  const end = [
    lastTransaction === null ? null : `the last transaction of ${lastTransaction}`,
    lsn === null ? null : `up to LSN ${lsn}`,
  ].filter((one) => one !== null)
  return [
    `restored ${dataDir} from backup ${backup.number}${end.length === 0 ? '' : `: ${end.join(', ')}`}`,
    `superusers: ${superusers.join(', ')}`,
    `start it with: howdah start -D ${shellWord(dataDir)}`,
  ]
}
