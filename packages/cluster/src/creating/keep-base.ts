import { TemplateCache } from '@howdah/data-directory'
import { type Cluster, insideOf } from '../cluster.ts'
import { invokingUser } from './create.ts'
import { beginFreshWal } from './initdb.ts'
import { keyOf } from './unpack-template.ts'

/**
 * Keeps a cluster in the cache of templates, so that throw-away clusters with the option `base` begin as its copies. `make`
 * makes the stopped cluster to keep, without settings of `ALTER SYSTEM`, while no other process keeps a base of that name.
 * `like` is a cluster that runs with the same programs, as the same user.
 *
 * Rejects if there is no cache that can be used.
 */
export async function keepBase(
  like: Cluster,
  base: string,
  make: () => Promise<Cluster>,
): Promise<void> {
  const { user, runtime } = await insideOf(like).coordination()
  const about = { runtime: await runtime(), user, superuser: invokingUser(), base, throwAway: true }
  const cache = await TemplateCache.open()
  const key = await keyOf({ ...about, directory: insideOf(like).directory })
  await cache.alone(key, async () => {
    const { directory } = insideOf(await make())
    await beginFreshWal(directory.here, { ...about, directory })
    await cache.keep(key, directory.here, user?.uid, isOfServer)
  })
}

/** Whether a file is a part of the cluster, and not of its last server or of howdah. */
function isOfServer(path: string): boolean {
  return !/^(\.?howdah|postmaster\.|current_logfiles$|pg_stat\/.|\.s\.PGSQL)/.test(path)
}
