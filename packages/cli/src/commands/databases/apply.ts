import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { provisionOf } from '../../project/provide.ts'

const keys = ['init', 'seed'] as const

/** Runs the scripts of the project's settings on the cluster that is there: those that have changed, or one of them. */
export async function apply(context: Context, [key]: readonly string[]): Promise<number> {
  const { options, output, asked } = context
  const chosen = keys.filter((one) => key === undefined || one === key)
  if (chosen.length === 0) throw misused(`apply: there is no "${key}"; write "init" or "seed"`)
  const provision = await provisionOf(context)
  if (provision === null || asked === undefined)
    throw misused('apply: this project has no howdah.json with init or seed; write one')
  const wasThere = await openCluster(context).cluster.exists()
  await using session = await joinCluster(context, {})
  const pending = await provision.settle(session)
  // A cluster that was made by this has all of it.
  const wanted = chosen.filter(
    (one) => pending.some((other) => other.key === one) || (wasThere && key !== undefined),
  )
  output.progress.show(`applying ${wanted.join(' and ')}`)
  const applied = await provision.apply(session, wanted, { isDone: options.done === true })
  if (options.json) await output.json({ dataDir: session.dataDir, applied })
  else if (applied.length > 0)
    output.message(
      `${options.done ? 'recorded as done' : 'ran'}: ${applied.join(' and ')} of ${asked.path}`,
    )
  else output.message(`nothing to apply: ${session.dataDir} has all of ${asked.path}`)
  return exitStatus.done
}
