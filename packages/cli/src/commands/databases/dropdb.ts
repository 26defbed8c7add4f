import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Drops a database. */
export async function dropdb(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options } = context
  await using session = await joinCluster(context, { ifExists: true })
  const changed = (await session.dropDatabase(name)) === 'modified'
  if (options.json) await output.json({ changed, database: name })
  else output.message(changed ? `dropped database ${name}` : `database ${name}: there was none`)
  return exitStatus.done
}
