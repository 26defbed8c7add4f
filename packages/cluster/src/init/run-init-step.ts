import { rm } from 'node:fs/promises'
import type { DataDirectory } from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { findAddress } from '../connecting/find-address.ts'
import { postgres, Server } from '../server.ts'
import type { StartOptions } from '../running/start.ts'
import type { InitStep } from './init-scripts.ts'

/** The server does not wait for the disk, because a directory that is lost in a crash was not a cluster yet. */
const settings = { fsync: 'off', full_page_writes: 'off', max_wal_size: '1GB' }

/** The part of `Free` of `@howdah/coordinate` that is used to run the server. */
interface Joinable {
  join(options: { start: StartOptions; ifExists: true }): Promise<{ leave(): Promise<unknown> }>
}

/**
 * Runs a step in a directory that does not count as a cluster yet, with a server that runs only for this and ends with us.
 * Nothing of that server is left.
 */
export async function runInitStep(
  directory: DataDirectory,
  runtime: Runtime,
  free: Joinable,
  { init, database }: { init: InitStep; database: string },
): Promise<void> {
  const shared = await free.join({ start: { settings }, ifExists: true })
  try {
    const server = new Server(
      directory.path,
      runtime,
      await findAddress(directory, false),
      database,
    )
    if (database !== postgres) await server.createDatabase(database)
    await init.run(server)
  } finally {
    await shared.leave()
  }
  const left = [
    directory.record,
    directory.mark,
    directory.logFile,
    directory.file('postmaster.opts'),
  ]
  for (const path of left) await rm(path, { force: true })
}
