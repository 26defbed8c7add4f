import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RunOptions } from '@howdah/cluster'
import { errno } from '@howdah/durable'
import { branchOf, missing, problemOf, type Project } from '@howdah/project'
import type { Context } from '../program/command.ts'
import {
  formerDataDirectory,
  prepareProject,
  projectDirectory,
} from '../opening/default-data-directory.ts'
import { describeProgress } from '../opening/describe-progress.ts'
import { type OpenCluster, openElsewhere } from '../opening/open-cluster.ts'

/** Options of the wait for processes that fork at the same time. */
interface Waits {
  readonly signal: AbortSignal
  /** In ms. */
  readonly waitTimeout: number | undefined
  readonly onWait: RunOptions['onWait']
}

/**
 * At the first use in a linked worktree, forks the main checkout's cluster if there is one, and says so.
 *
 * If several processes use it first at the same time, one of them forks and the others wait. Does nothing if the worktree has
 * a cluster or is to begin with an empty one, or outside of linked worktrees.
 */
export async function provideFork(
  context: Context,
  open: OpenCluster,
  { signal, waitTimeout, onWait }: Waits,
): Promise<void> {
  const { place, cluster } = open
  const original = originalOf(context, open)
  if (original === null || place.project === null || (await cluster.exists())) return
  const { output } = context
  const began = performance.now()
  prepareProject(place)
  const { forkCluster } = await import('@howdah/backup')
  const outcome = await forkCluster(openElsewhere(context, original), {
    to: cluster.dataDir,
    within: projectDirectory(place),
    signal,
    waitTimeout,
    onWait,
    onProgress: (progress) => output.progress.show(describeProgress(progress)),
  }).catch((error: unknown) => {
    throw withWayOut(error)
  })
  if (outcome === 'unmodified') return
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  output.message(
    `howdah: forked ${original} for ${worktreeName(place.found)} in ${seconds} s: ${place.path}`,
  )
}

/**
 * The message for a new cluster that begins empty in a worktree, or that replaces the cluster which howdah has used here
 * until now; `null` if there is nothing to say.
 */
export function whatIsNew({ place }: OpenCluster, isEmpty: boolean): string | null {
  const { found, path } = place
  if (found === null) return null
  const obstacle = isEmpty ? null : obstacleOf(found)
  if (obstacle !== null || (isEmpty && found.kind === 'linked-worktree')) {
    const why = obstacle === null ? '' : `, and not with a fork, because ${obstacle}`
    return `${worktreeName(found)} begins with an empty cluster of its own${why}: ${path}`
  }
  const former = formerDataDirectory(place)
  if (former === null) return null
  return (
    `${found.path} has a cluster of its own from now on, ${path}; howdah has used ${former} here until now, ` +
    'and does with -D or PGDATA'
  )
}

/** Whether the first use here starts with an empty cluster instead of a fork. */
export function beginsEmpty({ options }: Context, { place }: OpenCluster): boolean {
  return options.empty === true || place.found?.settings.worktrees === 'empty'
}

/** The data directory from which a worktree's cluster is forked; `null` if it is not a fork. */
export function originalOf(context: Context, open: OpenCluster): string | null {
  const { found, path } = open.place
  if (found?.kind !== 'linked-worktree' || found.main === null) return null
  if (beginsEmpty(context, open)) return null
  const project = join(found.main, '.howdah')
  const original = join(project, 'data')
  const isThere = existsSync(join(original, 'PG_VERSION'))
  return isThere && original !== path && problemOf(project, process.getuid?.() ?? 0) === null
    ? original
    : null
}

/** Why the main checkout's cluster cannot be looked at; `null` if it can, or if there is none. */
function obstacleOf({ kind, main }: Project): string | null {
  if (kind !== 'linked-worktree' || main === null) return null
  const project = join(main, '.howdah')
  const problem = problemOf(project, process.getuid?.() ?? 0)
  if (problem !== null) return problem === missing ? null : `${project} ${problem}`
  try {
    statSync(join(project, 'data', 'PG_VERSION'))
    return null
  } catch (error) {
    const isClosed = errno(error) === 'EACCES' || errno(error) === 'EPERM'
    return isClosed ? `this user may not look into ${join(project, 'data')}` : null
  }
}

/** The name of a worktree in messages. */
export function worktreeName(found: Project | null): string {
  const branch = found?.workTree ? branchOf(found.workTree) : null
  return branch === null ? 'this worktree' : `the worktree of ${branch}`
}

function withWayOut(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_CLUSTER_BACKUP_UNSUPPORTED' && error instanceof Error)
    error.message = `${message}; or begin with an empty cluster: --empty`
  return error
}
