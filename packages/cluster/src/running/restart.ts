import {
  type Exclusive,
  type JoinOptions,
  ownership,
  type Shared,
  type WaitOptions,
} from '@howdah/coordinate'
import {
  type ClusterUser,
  type DataDirectory,
  howStarted,
  type HowStarted,
} from '@howdah/data-directory'
import { clientsOf, lastingClients } from '../connecting/left-open.ts'
import { ownApplication } from '../connecting/client-options.ts'
import type { ConnectedClient } from '../without-driver/connected-clients.ts'
import { inUse } from '../errors.ts'
import type { StartOptions } from './start.ts'
import type { LaunchOptions } from '../subject.ts'
import { knownUsersOf } from '@howdah/known-clusters'

/** Our server while nobody else can join or leave it, and how it was started. */
export interface Alone {
  readonly exclusive: Exclusive<LaunchOptions>
  readonly was: HowStarted
  /** Whether it stays when its last user leaves. */
  readonly pinned: boolean
}

/**
 * Makes us the only user of our server, to restart it; `null` if others use it. Uses up `shared`.
 *
 * `ours` are the backends of our own clients. Others may be connected without being users, as on a pinned server.
 *
 * Throws `ERR_CLUSTER_IN_USE`, or an error if others join and leave for too long. After a failure `shared` is unchanged.
 */
export async function takeAlone(
  directory: DataDirectory,
  shared: Shared<LaunchOptions>,
  options: WaitOptions,
  wanted: string,
  ours: ReadonlySet<number> = new Set(),
): Promise<Alone> {
  const { paths, subject } = shared
  await refuseClients(directory, wanted, ours)
  const was = await howStarted(directory)
  const exclusive = await shared.tryExclusive(options)
  if (exclusive === null) {
    throw inUse(directory.path, await otherUsers(directory), wanted)
  }
  return { exclusive, was, pinned: (await ownership(paths, subject)) === 'pinned' }
}

async function otherUsers(directory: DataDirectory): Promise<ClusterUser[]> {
  return (await knownUsersOf(directory)).filter(({ pid }) => pid !== process.pid)
}

/**
 * Throws `ERR_CLUSTER_IN_USE` if clients are connected that a restart would cut off. It names the users of the server if there
 * are others, because the clients are theirs, else the clients.
 */
async function refuseClients(
  directory: DataDirectory,
  wanted: string,
  ours: ReadonlySet<number>,
): Promise<void> {
  const isNotOurs = ({ pid }: ConnectedClient) => !ours.has(pid)
  const connected = (await clientsOf(directory.path)).filter(isNotOurs)
  if (connected.length === 0) return
  const users = await otherUsers(directory)
  if (users.length > 0) throw inUse(directory.path, users, wanted)
  // A client of a session's that is no user any more: its process was killed, and the server has not noticed.
  const isLeft = ({ application }: ConnectedClient) => application === ownApplication
  if (connected.every(isLeft)) return
  const lasting = (await lastingClients(directory.path, ours)).filter(isNotOurs)
  const others = lasting.filter((client) => !isLeft(client))
  if (others.length === 0) return
  const clients = others.map(({ pid, application, user, database }) => ({
    pid,
    command: `the client "${application}" as "${user}" on database "${database}"`,
  }))
  throw inUse(directory.path, clients, wanted)
}

/**
 * Restarts the server, and shares it with others again. All restarts use this function. The server is started as before, with
 * `options.start` added. It stays pinned if it was, and lingers as long as before.
 *
 * After a failure no server runs, unless it was pinned: then it is started as before.
 */
export async function restartAlone(
  { exclusive, was, pinned }: Alone,
  options: JoinOptions<LaunchOptions>,
): Promise<Shared<LaunchOptions>> {
  await using alone = exclusive
  try {
    await alone.restart({ ...options, start: addTo(was, options.start) })
  } catch (error) {
    if (pinned) await alone.start({ ...options, start: was, pinned }).catch(() => undefined)
    throw error
  }
  return alone.share(options)
}

/** Adds options to those of an earlier start. */
function addTo<Options extends StartOptions>(was: HowStarted, more: Options): Options {
  const { settings = {}, tcp } = more
  const anew = new Set(Object.keys(settings).map((name) => name.toLowerCase()))
  const kept = Object.entries(was.settings).filter(([name]) => !anew.has(name.toLowerCase()))
  // A free port is chosen only if the server has no port yet.
  const port = typeof tcp === 'number' ? tcp : (was.tcp ?? tcp)
  return {
    ...more,
    settings: { ...Object.fromEntries(kept), ...settings },
    tcp: port,
  }
}
