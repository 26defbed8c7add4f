import { type RunOptions, type Session, sweepTemporary, temporaryDataDir } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { prepareProject } from './default-data-directory.ts'
import { loginOf, tellLogin } from './login.ts'
import { provideRuntime } from './provide-runtime.ts'
import { openCluster, type OpenCluster } from './open-cluster.ts'
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
  const { options, output, interruption } = context
  const { set, mode, timeout, linger, destroy } = options
  using waiting = new Waiting(output, 'to start or stop PostgreSQL')
  try {
    if (options.install) await provideRuntime(context, open)
    return await action({
      ...(await loginOf(context, open.cluster)),
      settings: set,
      mode,
      timeout,
      waitTimeout: timeout,
      linger,
      ...(destroy && { atEnd: 'destroy', throwAway: true }),
      signal: interruption.signal,
      onWait: waiting.onWait,
      onProgress(step) {
        waiting[Symbol.dispose]()
        if (step === 'creating' && open.place.project !== null) prepareProject(open.place.project)
        const doing = step === 'creating' ? 'creating a cluster in' : 'starting PostgreSQL on'
        output.progress.show(`${doing} ${open.place.path}`)
      },
    })
  } finally {
    output.progress.clear()
  }
}
