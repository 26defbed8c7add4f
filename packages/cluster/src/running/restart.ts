import {
  type Exclusive,
  type JoinOptions,
  ownership,
  type Shared,
  type WaitOptions,
} from '@howdah/coordinate'
import { type DataDirectory, howStarted, type HowStarted } from '@howdah/data-directory'
import { inUse } from '../errors.ts'
import type { StartOptions } from './start.ts'
import type { LaunchOptions } from '../subject.ts'
import { usersOf } from '@howdah/known-clusters'

/** A server of ours that nobody else may join or leave, and how it is run. */
export interface Alone {
  readonly exclusive: Exclusive<LaunchOptions>
  readonly was: HowStarted
  /** Whether it is to stay when its last user leaves. */
  readonly pinned: boolean
}

/**
 * Makes us the only user of a server of ours, to restart it; `null` if others use it. Uses `shared` up.
 *
 * After a failure, `shared` is as it was: `ERR_CLUSTER_IN_USE`, or that others join and leave for too long.
 */
export async function takeAlone(
  directory: DataDirectory,
  shared: Shared<LaunchOptions>,
  options: WaitOptions,
  wanted: string,
): Promise<Alone> {
  const { place, subject } = shared
  const was = await howStarted(directory)
  const exclusive = await shared.tryExclusive(options)
  if (exclusive === null) {
    const others = (await usersOf(directory)).filter(({ pid }) => pid !== process.pid)
    throw inUse(directory.path, others, wanted)
  }
  return { exclusive, was, pinned: (await ownership(place, subject)) === 'pinned' }
}

/**
 * Restarts the server and uses it with others again. Every restart comes through here, for whatever cause: the server is
 * started as it was, and `options.start` is added. It stays if it was to stay, and lingers for as long.
 *
 * After a failure no server runs, unless it was to stay: then it is started as it was.
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

/** The options of a start that is like an earlier one, with others on top. */
function addTo<Options extends StartOptions>(was: HowStarted, more: Options): Options {
  const { settings = {}, tcp } = more
  const anew = new Set(Object.keys(settings).map((name) => name.toLowerCase()))
  const kept = Object.entries(was.settings).filter(([name]) => !anew.has(name.toLowerCase()))
  // A free port is wanted only if there is none yet.
  const port = typeof tcp === 'number' ? tcp : (was.tcp ?? tcp)
  return {
    ...more,
    settings: { ...Object.fromEntries(kept), ...settings },
    tcp: port,
  }
}
