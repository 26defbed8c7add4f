import type { Context } from '../program/command.ts'
import { exitStatus } from '../exit-status.ts'
import { loginOf, tellLogin } from '../opening/login.ts'
import { whileStarting } from '../opening/join-cluster.ts'
import { openCluster } from '../opening/open-cluster.ts'

/** Starts the server, to run until it is stopped. */
export async function start(context: Context): Promise<number> {
  const { output, options } = context
  const open = openCluster(context)
  const { cluster } = open
  const outcome = await whileStarting(context, open, async (run, settle) => {
    const started = await cluster.start(run)
    if (context.asked !== undefined) await settle(await cluster.server(), { isTold: true })
    return started
  })
  const { database = 'postgres', tcp = false, tls } = await loginOf(context, cluster)
  const server = await cluster.server({ database, tcp: tcp !== false, tls })
  tellLogin(context, server)
  const status = await cluster.status()
  const pid = status.state === 'running' ? status.pid : null
  const version = server.runtime.version.toString()
  if (options.json) {
    const { dataDir } = cluster
    await output.json({ changed: outcome === 'modified', dataDir, version, pid, url: server.url() })
  } else if (outcome === 'modified') {
    output.message(`started PostgreSQL ${version} on ${cluster.dataDir} (pid ${pid})`)
  } else {
    output.message(
      `PostgreSQL ${version} was running on ${cluster.dataDir} already (pid ${pid}); it stays now`,
    )
  }
  return exitStatus.done
}
