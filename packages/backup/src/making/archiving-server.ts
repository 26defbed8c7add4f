import { type JoinOptions, ownership, type Shared } from '@howdah/coordinate'
import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import { postgres, Server } from '@howdah/cluster'
import { findAddress, type LaunchOptions, restartAlone, takeAlone } from '@howdah/cluster/inside'
import type { Runtime } from '@howdah/runtime'
import { inspectArchiving, setUpArchiving } from './archiving.ts'
import { restartNeeded } from '../errors.ts'

/** The cluster and the archive. */
export interface ArchivingRequest {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly runtime: () => Promise<Runtime>
  /** The directory for the WAL. */
  readonly wal: string
}

/**
 * Makes a server that we use archive its WAL. If necessary it is restarted, but only if nobody else uses it.
 *
 * Throws `ERR_CLUSTER_IN_USE` if others use it, and changes nothing then; `ERR_CLUSTER_RESTART_NEEDED` if howdah did not
 * start the server; `ERR_CLUSTER_FOREIGN_ARCHIVING` if another program already archives.
 */
export async function archivingServer(
  shared: Shared<LaunchOptions>,
  options: JoinOptions<LaunchOptions>,
  request: ArchivingRequest,
): Promise<Shared<LaunchOptions>> {
  const { directory } = request
  const { paths, subject } = shared
  const found = await administer(request, async (client) => {
    const archiving = await inspectArchiving(client, directory, request.wal)
    const isForeign = archiving.needsRestart && (await ownership(paths, subject)) === 'foreign'
    if (!archiving.needsRestart || isForeign) {
      await setUpArchiving(client, directory, request.user, request.wal, archiving)
    }
    if (isForeign) throw restartNeeded(directory.path)
    return archiving
  })
  if (!found.needsRestart) return shared
  const alone = await takeAlone(directory, shared, options, 'restart with archiving the server on')
  // Releases the locks, unless the cluster is shared again by then.
  using _ = alone.exclusive
  await administer(request, async (client) => {
    await setUpArchiving(client, directory, request.user, request.wal, found)
  })
  // Settings on the command line would override the new ones.
  const settings = Object.fromEntries(
    Object.keys(alone.was.settings).flatMap((name) => {
      const kept = found.missing[name.toLowerCase()]
      return kept === undefined ? [] : [[name, kept]]
    }),
  )
  const start = { ...options.start, settings: { ...options.start.settings, ...settings } }
  return await restartAlone(alone, { ...options, start })
}

async function administer<T>(
  { directory, runtime }: ArchivingRequest,
  action: (client: Awaited<ReturnType<Server['connect']>>) => Promise<T>,
): Promise<T> {
  const address = await findAddress(directory, false)
  const client = await new Server(directory.path, await runtime(), address, postgres).connect()
  try {
    return await action(client)
  } finally {
    await client.end()
  }
}
