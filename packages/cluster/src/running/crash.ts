import { setTimeout as sleep } from 'node:timers/promises'
import { ownership, type Shared } from '@howdah/coordinate'
import { DataDirectory, endOrphans, findPostmaster } from '@howdah/data-directory'
import { liveness } from '@howdah/lock'
import { inUse, notOurs } from '../errors.ts'
import { usersOf } from '@howdah/known-clusters'
import type { Outcome } from '@howdah/coordinate'
import type { LaunchOptions } from '../subject.ts'

/**
 * Kills our server with all its processes, as a crash of the machine would. The next start recovers all committed data.
 * Throws `ERR_CLUSTER_NOT_OURS`, and `ERR_CLUSTER_IN_USE` while other processes use it.
 */
export async function crash(
  dataDir: string,
  { paths, subject }: Shared<LaunchOptions>,
): Promise<Outcome> {
  const directory = new DataDirectory(dataDir)
  if ((await ownership(paths, subject)) === 'foreign') throw notOurs(dataDir, 'stop')
  const others = (await usersOf(directory)).filter(({ pid }) => pid !== process.pid)
  if (others.length > 0) throw inUse(dataDir, others, 'crash the server on')
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) return 'unmodified'
  const { identity } = postmaster
  if (liveness(identity) === 'alive') process.kill(identity.pid, 'SIGKILL')
  while (liveness(identity) !== 'dead') await sleep(2)
  await endOrphans(directory)
  return 'modified'
}
