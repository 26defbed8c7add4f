import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Creates a database, and the cluster if there is none. */
export async function createdb(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options } = context
  const { template, force } = options
  await using session = await joinCluster(context, {})
  const changed = (await session.createDatabase(name, { template, force })) === 'modified'
  if (options.json) await output.json({ changed, database: name })
  else output.message(changed ? `created database ${name}` : `database ${name}: exists already`)
  return exitStatus.done
}
