import type { Exclusive, Outcome } from '@howdah/coordinate'
import { type DataDirectory, readMark, readVersion, refuseServed } from '@howdah/data-directory'
import { statusOf, knownUsersOf } from '@howdah/known-clusters'
import type { DestroyOptions, EndOptions } from './cluster-options.ts'
import type { Coordination } from './coordination.ts'
import { markWreck } from './creating/wreck.ts'
import { inUse, notOurs } from './errors.ts'
import { stopPostmaster } from './running/stop.ts'
import type { LaunchOptions } from './subject.ts'
import { waiting } from './waiting-options.ts'

/** Stops the server of a cluster; see `Cluster.stop`. */
export async function stopCluster(
  directory: DataDirectory,
  context: () => Promise<Coordination>,
  options: EndOptions,
): Promise<Outcome> {
  if (await endLostByForce(directory, options)) return 'modified'
  const status = await statusOf(directory)
  if (status.state !== 'running') return 'unmodified'
  if (!status.ours && options.force !== true) throw notOurs(directory.path, 'stop')
  const coordination = await context()
  await using exclusive = await forOurselves(coordination, 'stop', options)
  const onNotice = coordination.state.notice
  return await exclusive.reconfigure(async () =>
    (await stopPostmaster(directory, { ...options, onNotice })) ? 'modified' : 'unmodified',
  )
}

/** Stops the server of a cluster and removes the cluster; see `Cluster.destroy`. */
export async function stopAndDestroyCluster(
  directory: DataDirectory,
  context: () => Promise<Coordination>,
  options: DestroyOptions,
): Promise<Outcome> {
  await endLostByForce(directory, options, async (held) => {
    if (!(await held.has(held.versionFile))) await markWreck(held)
  })
  const exists = (await readVersion(directory)) !== null
  if (!exists) {
    // A server may run there even without a `PG_VERSION`.
    const isNew = !(await directory.has(directory.path))
    await refuseServed(directory, isNew)
    if (!(await directory.has(directory.wreck))) return 'unmodified'
  }
  const mark = await readMark(directory)
  if (exists && mark?.created !== true && options.force !== true) {
    throw notOurs(directory.path, 'destroy')
  }
  await using exclusive = await forOurselves(await context(), 'destroy', options)
  await exclusive.reconfigure(async () => await stopPostmaster(directory, options))
  options.signal?.throwIfAborted()
  return await exclusive.destroy()
}

/** With `force`, ends a server whose files are lost; see `endLost`. */
async function endLostByForce(
  directory: DataDirectory,
  options: EndOptions,
  then?: (held: DataDirectory) => Promise<void>,
): Promise<boolean> {
  if (options.force !== true) return false
  const { endLost } = await import('./running/end-lost.ts')
  return await endLost(directory, options, then)
}

/** Makes us the only user of a cluster. Throws `ERR_CLUSTER_IN_USE` if there are others, unless `force` is given. */
async function forOurselves(
  { directory, free, subject }: Coordination,
  wanted: string,
  options: DestroyOptions,
): Promise<Exclusive<LaunchOptions>> {
  const { force = false, moveTo } = options
  subject.moveTo = moveTo
  const exclusive = await free.tryChange({ ...waiting(options), force })
  if (exclusive !== null) return exclusive
  const users = (await readVersion(directory)) === null ? [] : await knownUsersOf(directory)
  throw inUse(directory.path, users, wanted)
}
