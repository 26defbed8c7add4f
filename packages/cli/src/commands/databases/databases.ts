import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Lists the databases. */
export async function databases(context: Context): Promise<number> {
  const { output, options } = context
  await using session = await joinCluster(context, { ifExists: true })
  const names = await session.databases()
  if (options.json) await output.json(names)
  else for (const name of names) await output.line(name)
  return exitStatus.done
}
