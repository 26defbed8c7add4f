import { type RunOptions, type Session, sweepTemporary, temporaryDataDir } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { prepareProject } from './default-data-directory.ts'
import { loginOf, tellLogin } from './login.ts'
import { clearGone } from '../project/clear-gone.ts'
import { beginsEmpty, provideFork, whatIsNew } from '../project/provide-fork.ts'
import { provideRuntime } from './runtime/provide-runtime.ts'
import { openCluster, type OpenCluster } from './open-cluster.ts'
import { fullPath } from '../program/working-directory.ts'
import { Waiting } from '../program/waiting.ts'

/** Joins the cluster that a command is about: starts it if it does not run, and has it run until the session is left. */
export async function joinCluster(
  context: Context,
  {
    toDatabase = false,
    ...options
  }: Pick<RunOptions, 'ifExists'> & {
    /** To the one that is asked for, rather than to `postgres`. */
    toDatabase?: boolean
  },
): Promise<Session> {
  const joining = context.options.temporary === true ? await inTemporaryPlace(context) : context
  const open = openCluster(joining)
  const session = await whileStarting(joining, open, (run) =>
    open.cluster.run({ ...run, ...options, ...(!toDatabase && { database: 'postgres' }) }),
  )
  tellLogin(joining, session)
  // What others who were killed have left. Nobody waits for it.
  if (joining !== context) void sweepTemporary().catch(() => undefined)
  else void clearGone()
  return session
}

/** The same, for a new cluster of its own that is gone at the end. */
async function inTemporaryPlace(context: Context): Promise<Context> {
  const datadir = await temporaryDataDir()
  return { ...context, options: { ...context.options, datadir, destroy: true } }
}

/** Does something that starts a cluster, with the options of the command line, showing how it goes. */
export async function whileStarting<T>(
  context: Context,
  open: OpenCluster,
  action: (options: RunOptions) => Promise<T>,
): Promise<T> {
  const { io, options, output, interruption } = context
  const { set, mode, locale, trust, init, timeout, linger, destroy } = options
  using waiting = new Waiting(output, 'to start or stop PostgreSQL')
  try {
    if (options.install) await provideRuntime(context, open)
    const waits = { signal: interruption.signal, waitTimeout: timeout, onWait: waiting.onWait }
    await provideFork(context, open, waits)
    return await action({
      ...(await loginOf(context, open.cluster)),
      settings: set,
      mode,
      locale,
      trust,
      init: init?.map((pattern) => fullPath(io, pattern)),
      timeout,
      waitTimeout: timeout,
      linger,
      perishes: isInWorktree(open),
      ...(destroy && { atEnd: 'destroy', throwAway: true }),
      signal: interruption.signal,
      onWait: waiting.onWait,
      onProgress(step) {
        waiting[Symbol.dispose]()
        if (step === 'creating') prepare(context, open)
        const doing = step === 'creating' ? 'creating a cluster in' : 'starting PostgreSQL on'
        output.progress.show(`${doing} ${open.place.path}`)
      },
    })
  } finally {
    output.progress.clear()
  }
}

/** Whether the cluster lies in a linked worktree, and so ends with that. */
function isInWorktree({ place }: OpenCluster): boolean {
  const { found, project } = place
  return found?.kind === 'linked-worktree' && project === found.howdahDirectory
}

function prepare(context: Context, open: OpenCluster): void {
  const news = whatIsNew(open, beginsEmpty(context, open))
  prepareProject(open.place)
  if (news !== null) context.output.message(`howdah: ${news}`)
}
