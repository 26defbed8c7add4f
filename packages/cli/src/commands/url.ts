import type { Context } from '../program/command.ts'
import { databaseName } from '../opening/database-name.ts'
import { exitStatus } from '../exit-status.ts'
import { openCluster } from '../opening/open-cluster.ts'

/** Prints the URL of the running server. It does not start the server. */
export async function url(context: Context): Promise<number> {
  const { output, options } = context
  const { cluster } = openCluster(context)
  const server = await cluster.server({
    database: options.database ?? databaseName(context.io.env),
    tcp: options.tcp !== undefined,
    tls: options.tls,
  })
  if (options.json) await output.json({ url: server.url(), env: server.env() })
  else await output.line(server.url())
  return exitStatus.done
}
