import type { Cluster } from '@howdah/cluster'
import { insideOf } from '@howdah/cluster/inside'
import {
  type ConstraintLike,
  constraintOf,
  describeConstraint,
  noRuntime,
  type PartialVersion,
  type Runtime,
  selectRuntime,
} from '@howdah/runtime'
import { notNewer } from './errors.ts'

/**
 * The PostgreSQL to upgrade to: the one that is asked for, or else the newest release that is found. `null` if it is of the
 * cluster's own major.
 */
export async function chooseTarget(
  cluster: Cluster,
  { major }: PartialVersion,
  to?: ConstraintLike,
): Promise<Runtime | null> {
  const { strategy, wanted } = insideOf(cluster)
  const asked = to ?? wanted
  if (asked === undefined) {
    const found = await strategy.runtimes()
    const [newest] = found
      .filter(({ version }) => version.prerelease === null && version.major > major)
      .toSorted((one, other) => other.version.compare(one.version))
    return newest ?? null
  }
  const found = await selectRuntime(strategy, asked)
  if (found === null)
    throw noRuntime(describeConstraint(constraintOf(asked)), await strategy.runtimes())
  const { version } = found
  if (version.major < major) throw notNewer(cluster.dataDir, major, version.major)
  return version.major === major ? null : found
}
