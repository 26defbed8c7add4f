import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { DataDirectory } from '@howdah/data-directory'
import {
  destroyCluster,
  isDiscarded,
  isInTemporaryPlace,
  sweep,
  temporaryPlaces,
} from '@howdah/cluster/inside'
import { Alone, busy, isWatched } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'
import type { Scene } from '../scene.ts'

/** Half-made or half-removed clusters of killed processes, and clusters that should have been thrown away. */
export const unfinishedWork: Check = {
  name: 'unfinished-work',
  async examine(scene) {
    const clusters = await ofEach(scene, async (directory) =>
      isInTemporaryPlace(directory.path) ? [] : await complain(directory, scene),
    )
    return scene.wholeMachine ? [...clusters, ...(await leftTemporary())] : clusters
  },
}

async function complain(directory: DataDirectory, scene: Scene): Promise<Complaint[]> {
  const kind = await unfinished(directory, scene)
  if (kind === null) return []
  {
    // A process that still works on it holds the locks, and so does a watchdog that is about to remove it.
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
        if ((await unfinished(directory, scene)) === kind)
          await destroyCluster(directory, alone.change)
        return null
      },
    },
  ]
}

/** What is left to remove; `null` if nothing, or it is unknown. */
async function unfinished(
  directory: DataDirectory,
  { strategy }: Scene,
): Promise<'wreck' | 'throw-away' | null> {
  if (await directory.has(directory.wreck)) return 'wreck'
  if (!(await directory.has(directory.throwAway))) return null
  const status = await new Cluster(directory.path, { strategy }).status().catch(() => null)
  return status?.state === 'stopped' ? 'throw-away' : null
}

/** The leftovers that the next temporary cluster would also remove. */
async function leftTemporary(): Promise<Complaint[]> {
  const found = await Promise.all(
    (await temporaryPlaces()).map(async (place): Promise<Complaint[]> => {
      const left = await leftIn(place)
      if (left === 0) return []
      const what = left === 1 ? 'a temporary cluster' : `${left} temporary clusters`
      return [
        {
          severity: 'warning',
          subject: { path: place },
          what: `${what} in ${place} should be gone, because nobody uses it`,
          cure: 'the next temporary cluster removes it; or: howdah doctor --fix',
          mend: async () => {
            await sweep(place)
            return (await leftIn(place)) === 0 ? null : busy
          },
        },
      ]
    }),
  )
  return found.flat()
}

async function leftIn(place: string): Promise<number> {
  const names = (await readdir(place)).filter((name) => !isDiscarded(name))
  const left = await Promise.all(
    names.map(async (name) => {
      const directory = new DataDirectory(join(place, name))
      // It is being made or removed at this moment.
      return await isLeft(directory).catch(() => false)
    }),
  )
  return left.filter(Boolean).length
}

async function isLeft(directory: DataDirectory): Promise<boolean> {
  const { throwAway, wreck } = directory
  if (!(await directory.has(throwAway)) && !(await directory.has(wreck))) return false
  using alone = await Alone.try(directory)
  if (alone === null || (await isWatched(directory))) return false
  const status = await new Cluster(directory.path).status()
  return status.state !== 'running' || !status.pinned
}
