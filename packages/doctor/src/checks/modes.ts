import type { Strategy } from '@howdah/runtime'
import { Cluster, type Mode } from '@howdah/cluster'
import {
  chooseServerUser,
  type DataDirectory,
  findPostmaster,
  type Postmaster,
} from '@howdah/data-directory'
import { modeWhileStopped } from '@howdah/cluster/inside'
import { Alone } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** Clusters that a crash of the machine may destroy. */
export const modes: Check = {
  name: 'modes',
  async examine(scene) {
    return await ofEach(scene, async (directory) => await complain(directory, scene.strategy))
  },
}

async function complain(directory: DataDirectory, strategy: Strategy): Promise<Complaint[]> {
  const { path } = directory
  if ((await modeOf(directory, strategy)) !== 'fast') return []
  return [
    {
      severity: 'notice',
      subject: { path },
      what: `the cluster in ${path} is in fast mode: a crash of the machine may destroy all of its data`,
      cure: 'if there is anything in it that cannot be made anew: --mode safe',
    },
  ]
}

async function modeOf(directory: DataDirectory, strategy: Strategy): Promise<Mode | null> {
  const cluster = new Cluster(directory.path, { strategy })
  // A cluster that will be thrown away may be destroyed by a crash.
  if (!(await cluster.exists()) || (await directory.has(directory.throwAway))) return null
  if (await directory.has(directory.unsynced)) return 'fast'
  const postmaster = await findPostmaster(directory)
  // A starting or stopping server is not asked.
  if (postmaster !== null && !isReady(postmaster)) return null
  // Another check reports a missing runtime.
  const runtime = await cluster.runtime().catch(() => null)
  if (runtime === null) return null
  if (postmaster !== null) return await (await cluster.server()).mode()
  using alone = await Alone.try(directory)
  if (alone === null) return null
  return await modeWhileStopped(directory, runtime, await chooseServerUser(directory.path))
}

function isReady({ file: { status } }: Postmaster): boolean {
  return status === 'ready' || status === 'standby'
}
