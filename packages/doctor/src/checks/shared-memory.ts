import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Strategy, version } from '@howdah/runtime'
import {
  abandonedSegments,
  chooseServerUser,
  type DataDirectory,
  giveBackMemory,
  leftSegment,
  readVersion,
  removeSegment,
  seesAllProcesses,
} from '@howdah/data-directory'
import { Alone, busy } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach, unknown } from '../of-each.ts'
import type { Scene } from '../scene.ts'

/** Shared memory of killed servers. On macOS only System V segments, of which the system has 32. */
export const sharedMemory: Check = {
  name: 'shared-memory',
  async examine(scene) {
    const { platform } = process
    if (platform !== 'linux' && platform !== 'darwin') return []
    const all = seesAllProcesses()
    // POSIX segments come first, because a starting server finds them by the System V segment.
    const isListed = platform === 'linux' && scene.wholeMachine
    const dynamic = isListed
      ? await dynamicComplaints('/dev/shm', all).catch((error: unknown) => [unknown(error)])
      : []
    const named = await ofEach(scene, async (directory) => await complain(directory, all, scene))
    return [...dynamic, ...named]
  },
}

/** POSIX shared memory: files that outlive a crash of the server and the removal of its data directory. */
async function dynamicComplaints(place: string, seesAll: boolean): Promise<Complaint[]> {
  const abandoned = await abandonedSegments(place)
  if (abandoned.length === 0) return []
  const bytes = abandoned.reduce((sum, { size }) => sum + size, 0)
  const names = abandoned.map(({ path }) => basename(path))
  const some = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '')
  const what = `${names.length} pieces of shared memory (${bytes} bytes) of PostgreSQL servers lie in ${place} (${some})`
  if (!seesAll) {
    return [
      {
        severity: 'unknown',
        subject: { path: place },
        what: `${what}, and no process here uses them; those of other containers cannot be seen from here`,
        cure: `if no other container shares ${place}, remove them: ${names.join(' ')}`,
      },
    ]
  }
  return [
    {
      severity: 'warning',
      subject: { path: place },
      what: `${what}, which have ended without removing them`,
      cure: 'have them removed: howdah doctor --fix',
      mend: async () => {
        const still = new Set((await abandonedSegments(place)).map(({ ino }) => ino))
        const gone = abandoned.filter(({ ino }) => still.has(ino))
        await Promise.all(gone.map(async ({ path }) => await rm(path, { force: true })))
        return null
      },
    },
  ]
}

/** The small System V segment by which a server finds out that its data directory is in use. */
async function complain(
  directory: DataDirectory,
  seesAll: boolean,
  { strategy }: Pick<Scene, 'strategy'>,
): Promise<Complaint[]> {
  const segment = await leftSegment(directory)
  if (segment === null) return []
  const { path } = directory
  return [
    {
      severity: 'warning',
      subject: { path, segment: segment.id },
      what: `the server on ${path} was killed, and its shared memory is still there (segment ${segment.id})`,
      cure: `start the cluster once, which removes it with all that belongs to it; or: ipcrm -m ${segment.id}`,
      mend: seesAll ? async () => await removeOf(directory, segment.id, strategy) : undefined,
    },
  ]
}

async function removeOf(
  directory: DataDirectory,
  id: number,
  strategy: Strategy,
): Promise<string | null> {
  using alone = await Alone.with(directory)
  if (alone === null) return busy
  const isLeft = async () => (await leftSegment(directory))?.id === id
  if (!(await isLeft())) return null
  // A server finds the other segments by this one. After its removal nobody could find their server.
  await haveItGivenBack(directory, strategy).catch(() => undefined)
  // By its id and not by its key, because a server that was started meanwhile has another id.
  return (await isLeft()) ? await removeSegment({ id }) : null
}

async function haveItGivenBack(directory: DataDirectory, strategy: Strategy): Promise<void> {
  const existing = await readVersion(directory)
  const runtime = existing && (await strategy.select(version(existing)))
  if (runtime) await giveBackMemory(directory, runtime, await chooseServerUser(directory.path))
}
