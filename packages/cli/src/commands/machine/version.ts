import { errno } from '@howdah/durable'
import type { Runtime } from '@howdah/runtime'
import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { openCluster } from '../../opening/open-cluster.ts'

/** Prints the versions of howdah and of what it uses here. */
export async function version(context: Context): Promise<number> {
  const { io, output, options } = context
  const runtime = await runtimeOf(context)
  const postgres =
    runtime === null ? null : { version: runtime.version.toString(), bindir: runtime.bindir }
  const { platform, arch, versions } = process
  if (options.json) {
    await output.json({ howdah: io.version, node: versions.node, platform, arch, postgres })
  } else {
    await output.line(`howdah ${io.version}, Node ${versions.node}, ${platform} ${arch}`)
    await output.line(
      postgres === null
        ? 'no PostgreSQL found: howdah runtimes install 18'
        : `PostgreSQL ${postgres.version} in ${postgres.bindir}`,
    )
  }
  return exitStatus.done
}

/** The PostgreSQL of the cluster here, or the one that a new cluster would get. */
async function runtimeOf(context: Context): Promise<Runtime | null> {
  try {
    return await openCluster(context).cluster.runtime()
  } catch (error) {
    if (errno(error) === 'ERR_RUNTIME_NOT_FOUND') return null
    throw error
  }
}
