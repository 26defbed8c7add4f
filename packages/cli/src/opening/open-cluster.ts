import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { branchDirectory, branchPlaceOf, mainBranch, problemOfBranch } from '@howdah/project'
import { defaultStrategy, parseConstraint, type Strategy } from '@howdah/runtime'
import { misused } from '../errors.ts'
import type { Context } from '../program/command.ts'
import {
  chooseDataDirectory,
  type DataDirectoryChoice,
  projectDirectory,
} from './default-data-directory.ts'

/** The cluster of a command. */
export interface OpenCluster {
  readonly cluster: Cluster
  readonly place: DataDirectoryChoice
  readonly strategy: Strategy
}

/**
 * Chooses the cluster of a command. Nothing is started yet. Throws `ERR_CLI_USAGE` if the branch of `--branch` does not exist.
 */
export function openCluster(
  context: Context,
  { mustExist = true }: { /** Whether the branch has to exist. */ mustExist?: boolean } = {},
): OpenCluster {
  const { datadir, branch } = context.options
  const chosen = context.place ?? chooseDataDirectory(datadir, context.io)
  const place = branch === undefined ? chosen : placeOfBranch(chosen, branch, mustExist)
  const strategy = strategyOf(context)
  const cluster = openElsewhere(context, place.path, strategy, projectDirectory(place))
  return { cluster, place, strategy }
}

/** A cluster in another place, with the same options. */
export function openElsewhere(
  context: Context,
  dataDir: string,
  strategy: Strategy = strategyOf(context),
  within?: string,
): Cluster {
  const { options, output } = context
  return new Cluster(dataDir, {
    strategy,
    within,
    runtime:
      options.runtime === undefined
        ? undefined
        : parseConstraint(options.runtime, { cwd: context.io.cwd }),
    runtimePlace: options.runtimePlace,
    runAs: options.runAs,
    onNotice: (notice) => output.message(`howdah: ${notice}`),
  })
}

/** The place of a branch of a cluster. */
function placeOfBranch(
  chosen: DataDirectoryChoice,
  name: string,
  mustExist: boolean,
): DataDirectoryChoice {
  const branches = branchPlaceOf(chosen.path)
  const problem = name === mainBranch ? null : problemOfBranch(name)
  if (problem !== null) throw misused(`--branch ${JSON.stringify(name)}: the name ${problem}`)
  const path = branchDirectory(branches, name)
  if (mustExist && name !== mainBranch && !existsSync(join(path, 'PG_VERSION')))
    throw misused(
      `there is no branch ${name} of ${branches.main}; "howdah branch list" lists what there is, "howdah branch NAME" makes one`,
    )
  return { ...chosen, path }
}

function strategyOf({ io }: Context): Strategy {
  return defaultStrategy({ env: io.env, from: io.from })
}
