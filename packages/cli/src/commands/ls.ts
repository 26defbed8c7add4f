import { clusters, type ClusterUse, type ListedCluster } from '@howdah/cluster'
import { columns } from '../output/columns.ts'
import type { Context } from '../program/command.ts'
import { codeOf, exitStatus } from '../exit-status.ts'
import { onOneLine } from '../output/on-one-line.ts'

/** Lists the clusters of this machine, and who uses them. */
export async function ls({ output, options }: Context): Promise<number> {
  const onNotice = (notice: string) => output.message(`howdah: ${notice}`)
  const found = await clusters({ onNotice })
  if (options.json) await output.json(found.map(asJson))
  else if (found.length === 0) output.message('no cluster is known here')
  else for (const line of table(found)) await output.line(line)
  return exitStatus.done
}

/** As `status --json` has it, and for each user what is known. */
function asJson({ dataDir, status, users }: ListedCluster): object {
  if (status.state === 'unknown') {
    const { reason } = status
    return {
      dataDir,
      state: status.state,
      version: null,
      reason: { code: codeOf(reason), message: reason.message },
      users,
    }
  }
  const version = status.state === 'missing' ? null : status.version.toString()
  return { dataDir, ...status, version, users }
}

/** A line for each cluster, and below it one for each of its users. */
function table(found: readonly ListedCluster[]): string[] {
  const heads = columns(found.map(head))
  const tails = columns(found.flatMap(({ users }) => users.map(tail)))
  return found.flatMap(({ users }, index) => [
    heads[index] ?? '',
    ...tails.splice(0, users.length).map((line) => `  ${line}`),
  ])
}

/** The data directory, the version, what it does, and since when or why. */
function head({ dataDir, status }: ListedCluster): string[] {
  const at = onOneLine(dataDir)
  if (status.state === 'missing') return [at, '', status.state]
  if (status.state === 'unknown') return [at, '?', status.state, onOneLine(status.reason.message)]
  const since = status.state === 'running' ? [status.startedAt.toISOString()] : []
  return [at, status.version.toString(), status.state, ...since]
}

function tail({ pid, user, since, command }: ClusterUse): string[] {
  return [`pid ${pid}`, user ?? '?', since?.toISOString() ?? '?', onOneLine(command ?? '?')]
}
