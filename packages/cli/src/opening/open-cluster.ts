import { Cluster } from '@howdah/cluster'
import { defaultStrategy, parseConstraint, type Strategy } from '@howdah/runtime'
import type { Context } from '../program/command.ts'
import { chooseDataDirectory, type DataDirectoryChoice } from './default-data-directory.ts'

/** The cluster that a command is about. */
export interface OpenCluster {
  readonly cluster: Cluster
  readonly place: DataDirectoryChoice
  readonly strategy: Strategy
}

/** Finds out which cluster a command is about; nothing is read or started yet. */
export function openCluster({ io, options, output }: Context): OpenCluster {
  const place = chooseDataDirectory(options.datadir, io)
  const strategy = defaultStrategy({ env: io.env, from: io.from })
  const cluster = new Cluster(place.path, {
    strategy,
    runtime:
      options.runtime === undefined ? undefined : parseConstraint(options.runtime, { cwd: io.cwd }),
    runAs: options.runAs,
    onNotice: (notice) => output.message(`howdah: ${notice}`),
  })
  return { cluster, place, strategy }
}
