import type { Context } from '../command.ts'
import { exitStatus } from '../exit-status.ts'
import { whileStarting } from '../join-cluster.ts'
import { openCluster } from '../open-cluster.ts'

/** Lists the roles that are superuser and can log in, also of a cluster that does not run. */
export async function superusers(context: Context): Promise<number> {
  const { output, options } = context
  const open = openCluster(context)
  const names = await whileStarting(context, open, (run) => open.cluster.superusers(run))
  if (options.json) await output.json(names)
  else for (const name of names) await output.line(name)
  return exitStatus.done
}
