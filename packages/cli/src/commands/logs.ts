import type { Context } from '../program/command.ts'
import { exitStatus } from '../exit-status.ts'
import { openCluster } from '../opening/open-cluster.ts'

/** Prints the server's log, and follows it if requested. */
export async function logs(context: Context): Promise<number> {
  const { output, options, interruption } = context
  const { cluster } = openCluster(context)
  const chunks = cluster.logs({
    follow: options.follow,
    lines: options.lines,
    signal: interruption.signal,
  })
  for await (const chunk of chunks) await output.write(chunk)
  return interruption.status ?? exitStatus.done
}
