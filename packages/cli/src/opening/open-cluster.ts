import { Cluster } from '@howdah/cluster'
import { defaultStrategy, parseConstraint, type Strategy } from '@howdah/runtime'
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

/** Chooses the cluster of a command. Nothing is read or started yet. */
export function openCluster(context: Context): OpenCluster {
  const place = context.place ?? chooseDataDirectory(context.options.datadir, context.io)
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
    runAs: options.runAs,
    onNotice: (notice) => output.message(`howdah: ${notice}`),
  })
}

function strategyOf({ io }: Context): Strategy {
  return defaultStrategy({ env: io.env, from: io.from })
}
