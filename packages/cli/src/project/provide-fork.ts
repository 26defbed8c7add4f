import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RunOptions } from '@howdah/cluster'
import { branchOf, problemOf, type Project } from '@howdah/project'
import type { Context } from '../program/command.ts'
import {
  formerDataDirectory,
  prepareProject,
  projectDirectory,
} from '../opening/default-data-directory.ts'
import { describeProgress } from '../opening/describe-progress.ts'
import { type OpenCluster, openElsewhere } from '../opening/open-cluster.ts'

/** How long to wait for others who fork at the same time. */
interface Waits {
  readonly signal: AbortSignal
  /** In ms. */
  readonly waitTimeout: number | undefined
  readonly onWait: RunOptions['onWait']
}

/**
 * The first use in a linked worktree: forks the main checkout's cluster if there is one, and says so. Of several first users
 * at once, one forks and the others wait.
 *
 * Nothing happens if the worktree has a cluster, if it is to begin with an empty one, or in any other project.
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
  const state = await forkCluster(openElsewhere(context, original), {
    to: place.path,
    within: projectDirectory(place),
    signal,
    waitTimeout,
    onWait,
    onProgress: (progress) => output.progress.show(describeProgress(progress)),
  }).catch((error: unknown) => {
    throw withWayOut(error)
  })
  if (state === 'unmodified') return
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  output.message(
    `howdah: forked ${original} for ${worktreeName(place.found)} in ${seconds} s: ${place.path}`,
  )
}

/** What is to be said when a cluster is created that would have been another one until now; `null` if nothing. */
export function whatIsNew({ place }: OpenCluster, isEmpty: boolean): string | null {
  const { found, path } = place
  if (found === null) return null
  if (found.kind === 'linked-worktree' && isEmpty) {
    return `${worktreeName(found)} begins with an empty cluster of its own: ${path}`
  }
  const former = formerDataDirectory(place)
  if (former === null) return null
  return (
    `${found.path} has a cluster of its own from now on, ${path}; howdah has used ${former} here until now, ` +
    'and does with -D or PGDATA'
  )
}

/** Whether the first use here is not to fork. */
export function beginsEmpty({ options }: Context, { place }: OpenCluster): boolean {
  return options.empty === true || place.found?.settings.worktrees === 'empty'
}

/** The data directory that a worktree's cluster is forked from; `null` if it is not forked. */
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

/** What a worktree is called in messages. */
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
