import {
  type Exclusive,
  type JoinOptions,
  ownership,
  type Shared,
  users,
  type WaitOptions,
} from '@howdah/coordinate'
import type { DataDirectory } from './data-directory.ts'
import { InUseError } from './errors.ts'
import { findPostmaster } from './postmaster.ts'
import type { Server } from './server.ts'
import { isFixed } from './setting-name.ts'
import type { StartOptions } from './start.ts'
import type { LaunchOptions } from './subject.ts'

/** A server that nobody else may join or leave, and whether it is to stay when its last user leaves. */
export interface Alone {
  readonly exclusive: Exclusive<LaunchOptions>
  readonly pinned: boolean
}

/**
 * Gets a server of ours for oneself, to restart it, if nobody else uses it, which uses `shared` up.
 *
 * After a failure, `shared` is as it was: {@link InUseError}, or that others join and leave for too long.
 */
export async function takeAlone(
  directory: DataDirectory,
  shared: Shared<LaunchOptions>,
  options: WaitOptions,
  wanted: string,
): Promise<Alone> {
  const { place, subject } = shared
  const exclusive = await shared.tryExclusive(options)
  if (exclusive === null) {
    const others = (await users(place)).filter(({ pid }) => pid !== process.pid)
    throw new InUseError(directory.path, others, wanted)
  }
  return { exclusive, pinned: (await ownership(place, subject)) === 'pinned' }
}

/** Restarts it, and uses it with others again; it stays if it was to stay. After a failure, no server runs. */
export async function restartAlone(
  { exclusive, pinned }: Alone,
  options: JoinOptions<LaunchOptions>,
): Promise<Shared<LaunchOptions>> {
  await using alone = exclusive
  await alone.restart({ ...options, pinned })
  return alone.share(options)
}

/**
 * How the server was started, for it to be started like that again: with TCP at its port, and with the settings of its
 * command line. Of these, an application's own that no program has declared cannot be found out.
 */
export async function launchOf(
  directory: DataDirectory,
  server: Server,
): Promise<Pick<StartOptions, 'settings' | 'tcp'>> {
  const file = (await findPostmaster(directory))?.file
  const listens = file !== undefined && (file.listenAddress ?? '') !== ''
  const rows = await server.withAdministrator(async (client) => {
    const result = await client.query<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'command line'`,
    )
    return result.rows
  })
  const given = rows.filter(({ name }) => !isFixed(name))
  return {
    settings: Object.fromEntries(given.map(({ name, setting }) => [name, setting])),
    ...(listens && file.port !== null && { tcp: file.port }),
  }
}
