import { Cluster } from '../cluster.ts'
import type { DataDirectory } from '../data-directory.ts'
import { destroyCluster } from '../destroy.ts'
import { Alone, busy, isWatched } from './alone.ts'
import type { Check, Complaint } from './check.ts'
import { ofEach } from './of-each.ts'
import type { Scene } from './scene.ts'

/** Clusters that were being made or removed when that was killed, and those to be thrown away that nobody removed. */
export const unfinishedWork: Check = {
  name: 'unfinished-work',
  async examine(scene) {
    return await ofEach(scene, async (directory) => await complain(directory, scene))
  },
}

async function complain(directory: DataDirectory, scene: Scene): Promise<Complaint[]> {
  const kind = await unfinished(directory, scene)
  if (kind === null) return []
  {
    // Whoever is at it has the locks, as has the watchdog that is about to remove it.
    using alone = await Alone.try(directory)
    if (alone === null || (await isWatched(directory))) return []
    if ((await unfinished(directory, scene)) !== kind) return []
  }
  const { path } = directory
  const what =
    kind === 'wreck'
      ? `${path} is what is left of a cluster whose making or removing was interrupted`
      : `the cluster in ${path} was to be thrown away by its last user, and nobody has removed it`
  return [
    {
      severity: 'warning',
      subject: { path },
      what,
      cure: kind === 'wreck' ? 'make the cluster anew there, or destroy it' : 'destroy it',
      mend: async () => {
        using alone = await Alone.with(directory)
        if (alone === null || (await isWatched(directory))) return busy
        if ((await unfinished(directory, scene)) === kind) await destroyCluster(directory)
        return null
      },
    },
  ]
}

/** What there is to remove, as far as it can be told. */
async function unfinished(
  directory: DataDirectory,
  { strategy }: Scene,
): Promise<'wreck' | 'throw-away' | null> {
  if (await directory.has(directory.wreck)) return 'wreck'
  if (!(await directory.has(directory.throwAway))) return null
  const status = await new Cluster(directory.path, { strategy }).status().catch(() => null)
  return status?.state === 'stopped' ? 'throw-away' : null
}
