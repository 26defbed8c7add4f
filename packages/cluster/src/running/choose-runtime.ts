import {
  all,
  describeConstraint,
  noRuntime,
  type PartialVersion,
  type Runtime,
  selectRuntime,
  type Strategy,
  version,
} from '@howdah/runtime'
import { refuseOtherMajor } from '@howdah/data-directory'
import type { ClusterOptions } from '../cluster-options.ts'
import { unsupportedVersion } from '../errors.ts'

/**
 * The PostgreSQL to run a cluster with: one of the cluster's version if there is a cluster, and one that fits `runtime`.
 *
 * Throws a `RuntimeError` of `@howdah/runtime` with `ERR_RUNTIME_NOT_FOUND`, which names the PostgreSQLs that were found, and
 * `ERR_CLUSTER_OTHER_VERSION` if `runtime` is of another major than the cluster.
 */
export async function chooseRuntime(
  dataDir: string,
  existing: PartialVersion | null,
  {
    strategy,
    runtime: wanted,
    runtimePlace,
  }: Pick<ClusterOptions, 'runtime' | 'runtimePlace'> & { strategy: Strategy },
): Promise<Runtime> {
  if (existing !== null && existing.major < 10) {
    throw unsupportedVersion(dataDir, existing.toString())
  }
  if (existing === null && wanted === undefined) {
    const found = await strategy.fallback()
    if (found === null) throw noRuntime(null)
    return found
  }
  const constraint = all(...[existing === null ? [] : version(existing), wanted ?? []].flat())
  const found = await selectRuntime(strategy, constraint)
  if (found !== null) return found
  if (existing !== null) await refuseOtherMajor(dataDir, strategy, wanted, existing, runtimePlace)
  throw noRuntime(
    wanted === undefined ? existing : describeConstraint(constraint),
    await strategy.runtimes(),
  )
}
