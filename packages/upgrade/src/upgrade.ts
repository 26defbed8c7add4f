import { fstatSync, lstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Cluster } from '@howdah/cluster'
import { bringIntoBeing, clusterMissing, insideOf, waiting } from '@howdah/cluster/inside'
import {
  HeldDirectory,
  readMark,
  syncToDisk,
  writeMark,
  writeOwnFile,
  explained,
} from '@howdah/data-directory'
import { exchange } from '@howdah/lock'
import { remember } from '@howdah/known-clusters'
import { directory, type PartialVersion, type Runtime, version } from '@howdah/runtime'
import { cannotExchange, failed, unsupported } from './errors.ts'
import { type Made, makeCluster } from './make-cluster.ts'
import type { Upgraded, UpgradeOptions } from './options.ts'
import { clearLeftovers, keepFormer, refuseFormer, settle } from './place/leftovers.ts'
import { requireNoMount } from './place/require-no-mount.ts'
import { UpgradePlace } from './place/upgrade-place.ts'
import { type Pinned, Source } from './source.ts'
import { chooseTarget } from './target.ts'

/**
 * Makes a cluster one of a newer major of PostgreSQL. Nobody can use it meanwhile: they wait. The new cluster is made beside the
 * data directory, verified, and then swapped with the old one in one step. Until then the old one is unchanged, and it is kept
 * beside the new one, as `<data directory>.pg<major>`, until {@link dropFormerClusters}.
 *
 * It is `pg_upgrade` if both PostgreSQLs have their client programs, otherwise a dump and a load. If this process is killed,
 * the data directory has the old or the new cluster, whole, and the next call ends what was begun.
 *
 * Throws `ERR_CLUSTER_MISSING`, `ERR_CLUSTER_IN_USE` if somebody uses the cluster or is connected to it, `ERR_RUNTIME_NOT_FOUND`
 * without one of the two PostgreSQLs, and an `UpgradeError`: `ERR_UPGRADE_NOT_NEWER`, `ERR_UPGRADE_LACKING`,
 * `ERR_UPGRADE_UNSUPPORTED`, `ERR_UPGRADE_IN_THE_WAY`, `ERR_UPGRADE_FAILED` and `ERR_UPGRADE_DIFFERS`. Then the cluster is as it
 * was.
 *
 * @example
 * const { to, former } = await upgradeCluster(new Cluster('data'), { to: '18' })
 */
export async function upgradeCluster(
  cluster: Cluster,
  options: UpgradeOptions = {},
): Promise<Upgraded> {
  return await explained(cluster.dataDir, async () => {
    const existing = await cluster.version()
    if (existing === null) throw clusterMissing(cluster.dataDir)
    const runtime = await chooseTarget(cluster, existing, options.to)
    const place = new UpgradePlace(cluster.dataDir)
    const { another } = insideOf(cluster)
    const of = (path: string) => another(path, { runtime: version(existing) })
    if (runtime === null) {
      await settle(place, of, options)
      return unmodified(cluster, existing)
    }
    requireNoMount(place)
    const source = await Source.take(await insideOf(of(cluster.dataDir)).coordination(), options)
    const { pinned } = source
    let after = of(cluster.dataDir)
    try {
      await using _ = source
      await clearLeftovers(place, of)
      // Another process may have upgraded it before we got the lock.
      if ((await cluster.version())?.major !== existing.major) return unmodified(cluster, existing)
      refuseFormer(place, existing.major)
      const made = await makeAndSwap(cluster, place, source, runtime, options).catch(
        async (error: unknown) => {
          await clearLeftovers(place, of).catch(() => undefined)
          throw error
        },
      )
      after = another(cluster.dataDir, { runtime: directory(runtime.bindir) })
      const [from, to] = [existing.toString(), runtime.version.toString()]
      return { outcome: 'modified', dataDir: cluster.dataDir, from, to, ...made }
    } finally {
      if (pinned !== null) await startAgain(after, pinned, options)
    }
  })
}

function unmodified({ dataDir }: Cluster, existing: PartialVersion): Upgraded {
  const is = existing.toString()
  return {
    outcome: 'unmodified',
    dataDir,
    from: is,
    to: is,
    method: null,
    former: null,
    databases: [],
  }
}

/** Starts a server as it ran before. */
async function startAgain(cluster: Cluster, was: Pinned, options: UpgradeOptions): Promise<void> {
  options.onProgress?.({ step: 'finishing' })
  try {
    await cluster.start(was)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    options.onNotice?.(`its server ran until then, and could not be started again: ${why}`)
  }
}

async function makeAndSwap(
  cluster: Cluster,
  place: UpgradePlace,
  source: Source,
  runtime: Runtime,
  options: UpgradeOptions,
): Promise<Pick<Upgraded, 'method' | 'former' | 'databases'>> {
  const { signal } = options
  const step = (name: 'preparing' | 'syncing' | 'swapping' | 'swapped') => {
    options.onProgress?.({ step: name })
  }
  step('preparing')
  const from = source.coordination
  const anew = insideOf(cluster).another(place.making, { runtime: directory(runtime.bindir) })
  const to = await insideOf(anew).coordination({ like: from.user })
  await using exclusive = await to.free.change(waiting(options))
  return await exclusive.reconfigure(async (_, change) => {
    const tell = (notice: string) => options.onNotice?.(notice)
    const removal = { user: to.user, runtime: () => Promise.resolve(runtime) }
    const fill = { source, runtime, user: to.user, options, tell }
    let made: Made | null = null
    await bringIntoBeing(to.directory, change, removal, async ({ directory: staging }) => {
      made = await makeCluster(staging, fill)
      return made.superuser
    })
    const { superuser, method, databases } = made as unknown as Made
    await source.stop()
    step('syncing')
    const created = (await readMark(from.directory))?.created === true
    await writeMark(to.directory, to.user, { superuser, created })
    const isOwed = await from.directory.has(from.directory.unsynced)
    if (isOwed) await writeOwnFile(to.directory.unsynced, '', to.user)
    else {
      const { succeeded, stderr } = await syncToDisk(to.directory.path, runtime, to.user, signal)
      if (!succeeded) throw failed(cluster.dataDir, 'writing to the disk', stderr.trim())
    }
    signal?.throwIfAborted()
    step('swapping')
    await source.locked(async (lock) => swap(cluster.dataDir, place, lock, change))
    step('swapped')
    const former = await keepFormer(place, source.runtime.version.major)
    await remember(from.state, from.directory)
    return { method, databases, former }
  })
}

/** Swaps the two directories, both of which are locked. */
function swap(
  dataDir: string,
  place: UpgradePlace,
  old: { readonly fd: number },
  anew: { readonly fd: number },
): void {
  using above = HeldDirectory.follow(dirname(place.dataDir))
  const paths = [place.dataDir, place.making].map((path) => join(above.path, basename(path)))
  const [one = '', other = ''] = paths
  if (!isOf(one, old) || !isOf(other, anew))
    throw unsupported(dataDir, 'somebody has moved its directory meanwhile; upgrade again')
  try {
    exchange(one, other)
  } catch (error) {
    throw cannotExchange(dataDir, error)
  }
}

function isOf(path: string, { fd }: { readonly fd: number }): boolean {
  const [named, held] = [lstatSync(path, { bigint: true }), fstatSync(fd, { bigint: true })]
  return named.ino === held.ino && named.dev === held.dev
}
