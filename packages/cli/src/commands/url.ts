import { existsSync } from 'node:fs'
import type { Cluster } from '@howdah/cluster'
import { DataDirectory } from '@howdah/data-directory'
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
    tcp: options.tcp !== undefined || (options.socket !== true && (await hasTcp(cluster))),
    tls: options.tls,
  })
  if (options.json) await output.json({ url: server.url(), env: server.env() })
  else await output.line(server.url())
  return exitStatus.done
}

/** Whether the server listens on TCP, and howdah has a password for it. */
async function hasTcp(cluster: Cluster): Promise<boolean> {
  const status = await cluster.status()
  if (status.state !== 'running' || (status.listenAddress ?? '') === '') return false
  return existsSync(new DataDirectory(cluster.dataDir).passwordFile)
}
