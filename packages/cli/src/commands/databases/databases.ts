import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Lists the databases, except those that howdah has saved for `howdah undo` or as snapshots. */
export async function databases(context: Context): Promise<number> {
  const { output, options } = context
  await using session = await joinCluster(context, { ifExists: true })
  const { isOfHowdah } = await import('@howdah/snapshot')
  const names = (await session.databases()).filter((name) => !isOfHowdah(name))
  if (options.json) await output.json(names)
  else for (const name of names) await output.line(name)
  return exitStatus.done
}
