import { Writable } from 'node:stream'
import { callbackify } from 'node:util'
import { dump as dumpDatabase } from '@howdah/dump'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { databaseName } from '../../opening/database-name.ts'
import { megabytes } from '../../opening/describe-progress.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Writes a database as SQL. What follows `--` are options of pg_dump. */
export async function dump(context: Context, args: readonly string[]): Promise<number> {
  const { io, interruption, options, output } = context
  const path = options.to === undefined || options.to === '-' ? null : fullPath(io, options.to)
  if (options.json && path === null)
    throw misused('dump: --json is for what --to FILE has written; leave it out, or give a file')
  await using session = await joinCluster(context, { ifExists: true })
  const database = options.database ?? databaseName(io.env)
  if (!(await session.databases()).includes(database))
    throw misused(`dump: there is no database ${database}; "howdah databases" lists what there is`)
  const to =
    path ??
    new Writable({
      write: callbackify(async (chunk: Buffer, _encoding: string) => await output.write(chunk)),
    })
  const dumped = await dumpDatabase(session, {
    to,
    database,
    args,
    signal: interruption.signal,
    onProgress:
      path === null
        ? undefined
        : (bytes) => output.progress.show(`dumping: ${megabytes(bytes)} MB`),
    onNotice: (words) => output.message(words),
  }).finally(() => output.progress.clear())
  if (path !== null) {
    if (options.json) await output.json(dumped)
    else output.message(`dumped database ${database} into ${path}: ${megabytes(dumped.bytes)} MB`)
  }
  return exitStatus.done
}
