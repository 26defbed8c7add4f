import type { BackupDirectory } from '../directory/backup-directory.ts'
import { chooseBackup, type Choice, type Plan } from '../directory/choose-backup.ts'
import { invalidTarget } from '../errors.ts'
import { type ParsedTarget, parseTarget, type RecoveryTarget, targetAt } from './recovery-target.ts'
import { RestorePoints } from './restore-points.ts'

/** The plan of a restore: the backup, and the target; without a target it goes to the end of the WAL. */
export interface RestorePlan {
  readonly plan: Plan
  readonly target: ParsedTarget | null
}

/**
 * Finds the newest backup from which a target can be reached.
 *
 * Throws `ERR_CLUSTER_INVALID_TARGET` if the target is invalid, and `ERR_CLUSTER_NO_BACKUP` if no backup can be used.
 */
export async function planRestore(
  dataDir: string,
  from: BackupDirectory,
  to: RecoveryTarget | undefined,
  choice: Choice,
  signal?: AbortSignal,
): Promise<RestorePlan> {
  if (to === undefined) {
    // A restore that stops at a gap would lose the later WAL.
    const plan = await chooseBackup(dataDir, from, choice, ({ reach }) =>
      reach.missing === null
        ? null
        : `lacks the WAL file ${reach.missing}, and there are later ones`,
    )
    return { plan, target: null }
  }
  if ('name' in to) {
    const { name } = to
    if (name === '') throw invalidTarget(dataDir, 'the name of the restore point is empty')
    const points = new RestorePoints(from.wal, signal)
    let target: ParsedTarget | null = null
    const plan = await chooseBackup(dataDir, from, choice, async (candidate) => {
      const point = await points.find(name, candidate)
      if (point === null) return `has no restore point ${JSON.stringify(name)} after it`
      target = targetAt(name, point.lsn)
      return null
    })
    return { plan, target }
  }
  const target = parseTarget(dataDir, to)
  return {
    plan: await chooseBackup(dataDir, from, choice, ({ record }) => target.objection(record)),
    target,
  }
}
