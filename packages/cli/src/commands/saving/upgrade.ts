import { parseConstraint, selectRuntime } from '@howdah/runtime'
import {
  dropFormerClusters,
  type Upgraded,
  upgradeCluster,
  type UpgradeProgress,
} from '@howdah/upgrade'
import type { Context } from '../../program/command.ts'
import { megabytes } from '../../opening/describe-progress.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { openCluster, type OpenCluster } from '../../opening/open-cluster.ts'
import { patienceOf } from '../../opening/patience-of.ts'
import { installWithProgress } from '../../opening/runtime/install-with-progress.ts'
import { newest, provideRuntime } from '../../opening/runtime/provide-runtime.ts'

/** Makes the cluster one of a newer major, or removes the old ones that earlier upgrades have kept. */
export async function upgrade(context: Context, [version]: readonly string[]): Promise<number> {
  const { io, output, options } = context
  const open = openCluster(context)
  const { cluster } = open
  const patience = patienceOf(context)
  if (options.dropOld === true) {
    if (version !== undefined) throw misused('upgrade: --drop-old goes without a version')
    const removed = await dropFormerClusters(cluster, patience)
    if (options.json) await output.json({ dataDir: cluster.dataDir, removed })
    else if (removed.length === 0)
      output.message(`no old cluster is kept beside ${cluster.dataDir}`)
    for (const path of removed) if (!options.json) output.message(`removed ${path}`)
    return exitStatus.done
  }
  if (options.install) await provideBoth(context, open, version ?? newest)
  const notices: string[] = []
  const upgraded = await upgradeCluster(cluster, {
    ...patience,
    settings: options.set,
    to: version === undefined ? undefined : parseConstraint(version, { cwd: io.cwd }),
    onProgress: (progress) => output.progress.show(describe(progress)),
    onNotice: (notice) => notices.push(notice),
  }).finally(() => output.progress.clear())
  if (options.json) await output.json({ ...upgraded, notices })
  else for (const line of [...linesOf(upgraded), ...notices]) output.message(line)
  return exitStatus.done
}

/** Fetches what is missing of the old and the new PostgreSQL. */
async function provideBoth(context: Context, open: OpenCluster, version: string): Promise<void> {
  await provideRuntime(context, open)
  const constraint = parseConstraint(version, { cwd: context.io.cwd })
  if ((await selectRuntime(open.strategy, constraint)) !== null) return
  const runtime = await installWithProgress(context, version)
  context.output.message(`installed ${runtime.toString()}`)
}

function describe({ step, database, bytes }: UpgradeProgress): string {
  const what = `${step}${database === undefined ? '' : ` database ${database}`}`
  return bytes === undefined ? what : `${what}: ${megabytes(bytes)} MB`
}

function linesOf({ outcome, dataDir, from, to, former, databases }: Upgraded): string[] {
  if (outcome === 'unmodified')
    return [`${dataDir} is a cluster of PostgreSQL ${from}; there is nothing to upgrade`]
  const count = (key: 'tables' | 'rows') => databases.reduce((sum, one) => sum + one[key], 0)
  return [
    `upgraded ${dataDir} from PostgreSQL ${from} to ${to}: ${databases.length} databases, ` +
      `${count('tables')} tables and ${count('rows')} rows are the same`,
    `the old cluster is kept in ${former}; remove it with: howdah upgrade --drop-old`,
  ]
}
