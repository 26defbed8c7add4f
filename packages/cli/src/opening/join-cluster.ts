import {
  type RunOptions,
  type Server,
  type Session,
  sweepTemporary,
  temporaryDataDir,
} from '@howdah/cluster'
import { mainBranch } from '@howdah/project'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { namedDataDirectory, prepareProject } from './default-data-directory.ts'
import { loginOf, tellLogin } from './login.ts'
import { clearGone } from '../project/clear-gone.ts'
import { beginsEmpty, provideFork, whatIsNew } from '../project/provide-fork.ts'
import { provideRuntime } from './runtime/provide-runtime.ts'
import { openCluster, type OpenCluster } from './open-cluster.ts'
import { tellWaits } from '../program/tell-waits.ts'

/** Joins the cluster of a command: starts it if it does not run, and keeps it running until the session is left. */
export async function joinCluster(
  context: Context,
  {
    toDatabase = false,
    ...options
  }: Pick<RunOptions, 'ifExists'> & {
    /** Connect to the requested database instead of `postgres`. */
    toDatabase?: boolean
  },
): Promise<Session> {
  const joining = context.options.temporary === true ? await inTemporaryPlace(context) : context
  const open = openCluster(joining)
  const session = await whileStarting(joining, open, async (run, settle) => {
    const database = toDatabase ? run.database : 'postgres'
    const joined = await open.cluster.run({ ...run, ...options, database })
    try {
      await settle(joined, { isTold: toDatabase })
      return joined
    } catch (error) {
      await joined.leave().catch(() => undefined)
      throw error
    }
  })
  tellLogin(joining, session)
  // Removes the leftovers of killed processes in the background.
  if (joining !== context) void sweepTemporary().catch(() => undefined)
  else void clearGone()
  return session
}

/** The same context, for a new temporary cluster. */
async function inTemporaryPlace(context: Context): Promise<Context> {
  const datadir = await temporaryDataDir()
  const place = namedDataDirectory(datadir)
  return { ...context, place, options: { ...context.options, datadir, destroy: true } }
}

/** Makes what the settings of the project ask for. With `isTold` it says which of their scripts have not run. */
type Settle = (server: Server, options: { readonly isTold: boolean }) => Promise<void>

/** Runs an action that starts a cluster, with the options of the command line, and shows its progress. */
export async function whileStarting<T>(
  context: Context,
  open: OpenCluster,
  action: (options: RunOptions, settle: Settle) => Promise<T>,
): Promise<T> {
  const { io, options, output, interruption } = context
  const { set, mode, locale, trust, init, timeout, linger, destroy, branch } = options
  const onWait = tellWaits(output, 'to start or stop PostgreSQL')
  try {
    if (options.install) await provideRuntime(context, open)
    const provided = context.asked === undefined ? null : await import('../project/provide.ts')
    const provision = (await provided?.provisionOf(context)) ?? null
    const settle: Settle = async (server, told) => {
      if (provision !== null) await provided?.settle(context, provision, server, told)
    }
    const waits = { signal: interruption.signal, waitTimeout: timeout, onWait }
    if (options.ifExists !== true) await provideFork(context, open, waits)
    const run: RunOptions = {
      ...(await loginOf(context, open.cluster)),
      settings: set,
      mode,
      locale,
      trust,
      init: provision?.step ?? init?.map((pattern) => fullPath(io, pattern)),
      timeout,
      waitTimeout: timeout,
      linger,
      ifExists: options.ifExists,
      perishes: isInWorktree(open),
      // A branch is a copy, and never made empty.
      ...(branch !== undefined && branch !== mainBranch && { ifExists: true }),
      ...(destroy && { atEnd: 'destroy', throwAway: true }),
      signal: interruption.signal,
      onWait,
      onProgress(step) {
        if (step === 'creating') prepare(context, open)
        const doing = step === 'creating' ? 'creating a cluster in' : 'starting PostgreSQL on'
        output.progress.show(`${doing} ${open.place.path}`)
      },
    }
    return await action(run, settle)
  } finally {
    output.progress.clear()
  }
}

/** Whether the cluster lies in a linked worktree, so that its server must end when the worktree is removed. */
function isInWorktree({ place }: OpenCluster): boolean {
  const { found, project } = place
  return found?.kind === 'linked-worktree' && project === found.howdahDirectory
}

function prepare(context: Context, open: OpenCluster): void {
  const news = whatIsNew(open, beginsEmpty(context, open))
  prepareProject(open.place)
  if (news !== null) context.output.message(`howdah: ${news}`)
}
