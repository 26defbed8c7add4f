import {
  type ConstraintLike,
  constraintOf,
  type PartialVersion,
  selectRuntime,
  type Strategy,
} from '@howdah/runtime'
import { otherVersion } from '../errors.ts'

/**
 * Throws `ERR_CLUSTER_OTHER_VERSION` if a PostgreSQL of another major was asked for than the one that made the cluster. `place`
 * tells what asked for it.
 */
export async function refuseOtherMajor(
  dataDir: string,
  strategy: Strategy,
  wanted: ConstraintLike | undefined,
  existing: PartialVersion,
  place?: () => string,
): Promise<void> {
  if (wanted === undefined) return
  const constraint = constraintOf(wanted)
  const { version } =
    constraint.kind === 'version' ? constraint : ((await selectRuntime(strategy, constraint)) ?? {})
  if (version !== undefined && version.major !== existing.major)
    throw otherVersion(dataDir, existing.major, version.major, place?.())
}
