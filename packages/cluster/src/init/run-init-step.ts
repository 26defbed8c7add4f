import { rm } from 'node:fs/promises'
import type { DataDirectory } from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { findAddress } from '../connecting/find-address.ts'
import { postgres, Server } from '../server.ts'
import type { StartOptions } from '../running/start.ts'
import type { InitStep } from './init-scripts.ts'

/** Nobody waits for the disk: what is lost in a crash was not a cluster yet. */
const settings = { fsync: 'off', full_page_writes: 'off', max_wal_size: '1GB' }

/** What runs the server: a `Free` of `@howdah/coordinate`. */
interface Joinable {
  join(options: { start: StartOptions; ifExists: true }): Promise<{ leave(): Promise<unknown> }>
}

/**
 * Does something in a cluster that is not yet one for anybody, by a server that runs only for that and ends with us. Nothing of
 * that server is left.
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
