import type { Cluster, ClusterStatus, ClusterUser, Mode } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { exitStatus } from '../exit-status.ts'
import { nameOfUser } from '../output/name-of-user.ts'
import { openCluster } from '../opening/open-cluster.ts'

/** Prints the state of the cluster and its users. */
export async function status(context: Context): Promise<number> {
  const { output, options } = context
  const { cluster } = openCluster(context)
  const [found, users, asked] = await Promise.all([
    cluster.status(),
    cluster.users(),
    modeOf(cluster),
  ])
  const { dataDir } = cluster
  const mode = found.state === 'running' ? asked : null
  if (options.json) {
    const version = found.state === 'missing' ? null : found.version.toString()
    await output.json({ dataDir, ...found, version, ...(mode !== null && { mode }), users })
    return exitStatus.done
  }
  const facts = factsOf(dataDir, found, users)
  if (mode === 'fast') facts.push(['mode', 'fast: a crash of the machine may destroy all data'])
  const width = Math.max(...facts.map(([name]) => name.length))
  for (const [name, value] of facts) await output.line(`${name.padEnd(width)}  ${value}`)
  return exitStatus.done
}

/** The mode of a running server; `null` if none runs or answers. */
async function modeOf(cluster: Cluster): Promise<Mode | null> {
  try {
    return await (await cluster.server()).mode()
  } catch {
    return null
  }
}

function factsOf(
  dataDir: string,
  found: ClusterStatus,
  users: readonly ClusterUser[],
): [name: string, value: string][] {
  if (found.state === 'missing') {
    return [
      ['state', 'missing: there is no cluster yet'],
      ['data directory', dataDir],
    ]
  }
  const facts: [string, string][] = [
    ['state', found.state],
    ['data directory', dataDir],
    ['version', found.version.toString()],
  ]
  if (found.state === 'running') {
    const { pid, startedAt, port, socketDirectory, listenAddress } = found
    facts.push(
      ['pid', String(pid)],
      ['since', startedAt.toISOString()],
      ['socket', socketDirectory === null ? 'none' : `${socketDirectory}/.s.PGSQL.${port}`],
      ['TCP', listenAddress === null || listenAddress === '' ? 'none' : `${listenAddress}:${port}`],
      ['stays', staying(found)],
    )
  }
  facts.push(['users', users.length === 0 ? 'none' : users.map(nameOfUser).join(', ')])
  return facts
}

function staying({ ours, pinned }: { readonly ours: boolean; readonly pinned: boolean }): string {
  if (!ours) return 'yes: howdah did not start it'
  return pinned ? 'until it is stopped' : 'until its last user leaves'
}
