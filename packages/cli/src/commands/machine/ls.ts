import { clusters, type ClusterUse, type ListedCluster } from '@howdah/cluster'
import { branchPlaceOf, mainBranch } from '@howdah/project'
import { columns, onOneLine } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { errno } from '@howdah/durable'
import { exitStatus } from '../../exit-status.ts'
import { clearGone } from '../../project/clear-gone.ts'
import { type Worktree, worktreeOf } from '../../project/worktree-of.ts'

/** Lists the clusters of this machine, and who uses them. */
export async function ls({ output, options }: Context): Promise<number> {
  await clearGone()
  const onNotice = (notice: string) => output.message(`howdah: ${notice}`)
  const found = (await clusters({ onNotice })).map((one) =>
    Object.assign(one, originOf(one.dataDir)),
  )
  if (options.json) await output.json(found.map(asJson))
  else if (found.length === 0) output.message('no cluster is known here')
  else for (const line of await table(found)) await output.line(line)
  return exitStatus.done
}

/** The worktree to which a cluster belongs, and the branch that it is. */
interface Origin {
  readonly worktree: Worktree | null
  readonly branch: { readonly name: string; readonly of: string } | null
}

type Listed = ListedCluster & Origin

function originOf(dataDir: string): Origin {
  const { main, current } = branchPlaceOf(dataDir)
  const branch = current === mainBranch ? null : { name: current, of: main }
  return { worktree: worktreeOf(main), branch }
}

/** The fields of `status --json`, and the known facts about each user. */
function asJson({ dataDir, status, users, worktree, branch }: Listed): object {
  const origin = { ...(worktree !== null && { worktree }), ...(branch !== null && { branch }) }
  if (status.state === 'unknown') {
    const { reason } = status
    return {
      dataDir,
      state: status.state,
      version: null,
      reason: { code: errno(reason) || null, message: reason.message },
      users,
      ...origin,
    }
  }
  const version = status.state === 'missing' ? null : status.version.toString()
  return { dataDir, ...status, version, users, ...origin }
}

/** A line for each cluster, followed by a line for each of its users. */
async function table(found: readonly Listed[]): Promise<string[]> {
  const heads = await columns(found.map(head))
  const tails = await columns(found.flatMap(({ users }) => users.map(tail)))
  return found.flatMap(({ users }, index) => [
    heads[index] ?? '',
    ...tails.splice(0, users.length).map((line) => `  ${line}`),
  ])
}

/** The columns of a cluster: data directory, version, state, its start or reason, and branch or worktree. */
function head({ dataDir, status, ...origin }: Listed): string[] {
  const at = onOneLine(dataDir)
  if (status.state === 'missing') return [at, '', status.state]
  if (status.state === 'unknown') return [at, '?', status.state, onOneLine(status.reason.message)]
  const since = status.state === 'running' ? [status.startedAt.toISOString()] : []
  const name = nameOf(origin)
  const of = name === null ? [] : [name]
  return [
    at,
    status.version.toString(),
    status.state,
    ...(of.length > 0 ? [since[0] ?? ''] : since),
    ...of,
  ]
}

function tail({ pid, user, since, command }: ClusterUse): string[] {
  return [`pid ${pid}`, user ?? '?', since?.toISOString() ?? '?', onOneLine(command ?? '?')]
}

/** Such as "worktree topic of /home/me/project", or "branch try of /home/me/project/.howdah/data". */
function nameOf({ worktree, branch }: Origin): string | null {
  if (branch !== null) return onOneLine(`branch ${branch.name} of ${branch.of}`)
  if (worktree === null) return null
  const name = [
    'worktree',
    ...(worktree.branch === null ? [] : [worktree.branch]),
    ...(worktree.main === null ? [] : ['of', worktree.main]),
  ]
  return onOneLine(name.join(' '))
}
