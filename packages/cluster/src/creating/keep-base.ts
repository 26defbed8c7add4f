import { TemplateCache } from '@howdah/data-directory'
import { type Cluster, insideOf } from '../cluster.ts'
import { invokingUser } from './create.ts'
import { beginFreshWal } from './initdb.ts'
import { keyOf } from './unpack-template.ts'

/**
 * Keeps a cluster in the cache of templates, so that throw-away clusters with the option `base` begin as its copies. `make`
 * makes the stopped cluster `made`, without settings of `ALTER SYSTEM`, while no other process keeps a base of that name. The
 * cluster is removed afterwards, and before that what a killed process has left of it. `like` is a cluster that runs with the
 * same programs, as the same user.
 *
 * Rejects if there is no cache that can be used, and with the errors of `make`.
 */
export async function keepBase(
  like: Cluster,
  base: string,
  made: Cluster,
  make: () => Promise<void>,
): Promise<void> {
  const { user, runtime } = await insideOf(like).coordination()
  const { directory } = insideOf(made)
  const superuser = invokingUser()
  const about = { directory, runtime: await runtime(), user, superuser, base, throwAway: true }
  const cache = await TemplateCache.open()
  const key = await keyOf(about)
  await cache.alone(key, async () => {
    await made.destroy({ force: true })
    try {
      await make()
      await beginFreshWal(directory.here, about)
      await cache.keep(key, directory.here, user?.uid, isOfServer)
    } finally {
      await made.destroy({ force: true })
    }
  })
}

/** Whether a file is a part of the cluster, and not of its last server or of howdah. */
function isOfServer(path: string): boolean {
  return !/^(\.?howdah|postmaster\.|current_logfiles$|pg_stat\/.|\.s\.PGSQL)/.test(path)
}
