import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { whileStarting } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'

/** Lists the superusers that can log in. The cluster may be stopped. */
export async function superusers(context: Context): Promise<number> {
  const { output, options } = context
  const open = openCluster(context)
  const names = await whileStarting(context, open, (run) => open.cluster.superusers(run))
  if (options.json) await output.json(names)
  else for (const name of names) await output.line(name)
  return exitStatus.done
}
