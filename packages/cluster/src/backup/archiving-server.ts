import { type JoinOptions, ownership, type Shared, users } from '@howdah/coordinate'
import type { DataDirectory } from '../data-directory.ts'
import { InUseError, NotRunningError } from '../errors.ts'
import { findPostmaster } from '../postmaster.ts'
import { addressOf, postgres, Server } from '../server.ts'
import type { ServerUser } from '../server-user.ts'
import type { Runtime } from '@howdah/runtime'
import type { LaunchOptions } from '../subject.ts'
import { superuserOf } from '../superuser.ts'
import { inspectArchiving, setUpArchiving } from './archiving.ts'
import { RestartNeededError } from './errors.ts'

/** What is to archive where. */
export interface ArchivingRequest {
  readonly directory: DataDirectory
  readonly user: ServerUser | null
  readonly runtime: () => Promise<Runtime>
  /** The directory for the WAL. */
  readonly wal: string
}

/**
 * Makes a server that we use archive its WAL; it is restarted if it must be, and then only if nobody else uses it.
 *
 * Throws {@link InUseError} where others do, and nothing is changed then; {@link RestartNeededError} for a server that
 * howdah did not start; `ForeignArchivingError` where something archives already.
 */
export async function archivingServer(
  shared: Shared<LaunchOptions>,
  options: JoinOptions<LaunchOptions>,
  request: ArchivingRequest,
): Promise<Shared<LaunchOptions>> {
  const { directory } = request
  const { place, subject } = shared
  const found = await administer(request, async (client) => {
    const archiving = await inspectArchiving(client, directory, request.wal)
    const isForeign = archiving.needsRestart && (await ownership(place, subject)) === 'foreign'
    if (!archiving.needsRestart || isForeign) {
      await setUpArchiving(client, directory, request.user, request.wal, archiving)
    }
    if (isForeign) throw new RestartNeededError(directory.path)
    return archiving
  })
  if (!found.needsRestart) return shared
  const isPinned = (await ownership(place, subject)) === 'pinned'
  const listened = (await findPostmaster(directory))?.file
  const exclusive = await shared.tryExclusive(options)
  if (exclusive === null) {
    const others = (await users(place)).filter(({ pid }) => pid !== process.pid)
    throw new InUseError(directory.path, others, 'restart with archiving the server on')
  }
  try {
    // As it was started, with what it needs now.
    const start: LaunchOptions = {
      ...options.start,
      settings: { ...found.ofStart },
      ...(listened?.listenAddress && listened.port !== null && { tcp: listened.port }),
    }
    await administer(request, async (client) => {
      await setUpArchiving(client, directory, request.user, request.wal, found)
    })
    await exclusive.restart({ ...options, start, pinned: isPinned })
    return exclusive.share(options)
  } finally {
    // Unless it is shared again.
    exclusive[Symbol.dispose]()
  }
}

async function administer<T>(
  { directory, runtime }: ArchivingRequest,
  action: (client: Awaited<ReturnType<Server['connect']>>) => Promise<T>,
): Promise<T> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) throw new NotRunningError(directory.path)
  const superuser = await superuserOf(directory)
  const address = await addressOf(directory, postmaster.file, superuser, false)
  const client = await new Server(directory.path, await runtime(), address, postgres).connect()
  try {
    return await action(client)
  } finally {
    await client.end()
  }
}
