import { defaultStrategy, type Strategy } from '@howdah/runtime'
import type { Check, Complaint } from './check.ts'
import { type CheckName, type Finding, isWrong } from './finding.ts'
import { orphans } from './checks/orphans.ts'
import { copiedAlive } from './checks/mac/copied-alive.ts'
import { limits } from './checks/limits.ts'
import { lookAgain } from './look-again.ts'
import { locks } from './checks/locks.ts'
import { lostFiles } from './checks/lost-files.ts'
import { modes } from './checks/modes.ts'
import { unknown } from './of-each.ts'
import { strayServers } from './checks/stray-servers.ts'
import { permissions } from './checks/permissions.ts'
import { runtimes } from './checks/runtimes.ts'
import { type Scene, survey } from './scene.ts'
import { sharedMemory } from './checks/shared-memory.ts'
import { staleLinks } from './checks/stale-links.ts'
import { stalePidFiles } from './checks/stale-pid-files.ts'
import { stuckServers } from './checks/stuck-servers.ts'
import { templates } from './checks/templates.ts'
import { unfinishedWork } from './checks/unfinished-work.ts'

/** Options of a diagnosis. */
export interface DiagnoseOptions {
  /** Clusters to look at, by their data directories, which need not exist. */
  dataDirs?: readonly string[] | undefined
  /**
   * `machine`, the default: also look at everything else that this user may look into, such as other clusters of howdah's,
   * servers without a data directory, abandoned shared memory, and limits of the system. `clusters`: look only at `dataDirs`
   * and the runtimes.
   */
  scope?: 'machine' | 'clusters' | undefined
  /** Run only these checks. */
  checks?: readonly CheckName[] | undefined
  /** Mend problems that are provably howdah's and affect nobody, or that are otherwise safe to mend. */
  fix?: boolean | undefined
  /** Where to look for PostgreSQLs; by default the places of `defaultStrategy`. */
  strategy?: Strategy | undefined
}

/** The checks, in the order in which they must mend: processes are ended before their leftovers are removed. */
const checks: readonly Check[] = [
  locks,
  stuckServers,
  strayServers,
  orphans,
  sharedMemory,
  stalePidFiles,
  lostFiles,
  unfinishedWork,
  staleLinks,
  permissions,
  modes,
  runtimes,
  templates,
  limits,
  copiedAlive,
]

/**
 * Looks for problems of clusters and of the things that they need. With `fix`, mends those that are safe to mend.
 *
 * It never guesses: an unknown answer is a finding of its own, and so is a check that fails. A failing check does not end the
 * diagnosis. Rejects only for a path that cannot be a data directory, with `ERR_CLUSTER_INVALID_PATH`.
 *
 * @example
 * const wrong = (await diagnose({ dataDirs: ['.howdah/data'] })).filter(isWrong)
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Finding[]> {
  const { dataDirs = [], scope = 'machine', fix = false, strategy = defaultStrategy() } = options
  const scene = await lookAgain(async () => await survey(dataDirs, scope === 'machine', strategy))
  const findings: Finding[] = []
  for (const check of checks) {
    if (options.checks?.includes(check.name) === false) continue
    for (const complaint of await examine(check, scene)) {
      // The same obstacle often affects several checks.
      if (findings.some((one) => isUntold(one) && one.what === complaint.what)) continue
      findings.push(await settle(check.name, complaint, fix))
    }
  }
  return findings
}

/** Whether the finding is an obstacle that may affect other checks. */
const isUntold = ({ severity, check }: Finding): boolean =>
  severity === 'unknown' || check === 'locks'

async function examine(check: Check, scene: Scene): Promise<Complaint[]> {
  try {
    return await lookAgain(async () => await check.examine(scene))
  } catch (error) {
    return [unknown(error)]
  }
}

async function settle(
  check: CheckName,
  { mend, ...complaint }: Complaint,
  fix: boolean,
): Promise<Finding> {
  const fixable = mend !== undefined
  const finding = { check, ...complaint, fixable, fixed: false, obstacle: null }
  if (!fix || mend === undefined || !isWrong(finding)) return finding
  const obstacle = await mend().catch(messageOf)
  return { ...finding, fixed: obstacle === null, obstacle }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
