import { type Branch, Branches } from '@howdah/backup'
import { readSystemIdentifier } from '@howdah/cluster'
import { shellWord } from '@howdah/data-directory'
import { mainBranch } from '@howdah/project'
import { columns, onOneLine } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { projectDirectory } from '../../opening/default-data-directory.ts'
import { describeProgress } from '../../opening/describe-progress.ts'
import { whileStarting } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { patienceOf } from '../../opening/patience-of.ts'

/** Makes, lists or drops branches of the cluster. */
export async function branch(context: Context, words: readonly string[]): Promise<number> {
  const [action = 'list', name] = words
  if (action === 'drop') {
    if (name === undefined) throw misused('branch drop: say which; "howdah branch list" lists them')
    return await drop(context, name)
  }
  if (name !== undefined)
    throw misused(
      `branch ${action} ${name}: there is no such action; give a name alone, "list" or "drop"`,
    )
  return action === 'list' ? await list(context) : await create(context, action)
}

async function create(context: Context, name: string): Promise<number> {
  const { output, options } = context
  const open = openCluster(context)
  const branches = new Branches(open.cluster)
  const began = performance.now()
  const made = await whileStarting(
    context,
    open,
    async ({ signal, waitTimeout, onWait }) =>
      await branches.create(name, {
        within: projectDirectory(open.place),
        signal,
        waitTimeout,
        onWait,
        onProgress: (progress) => output.progress.show(describeProgress(progress)),
      }),
  )
  if (options.json) {
    const systemIdentifier = String(await readSystemIdentifier(made.dataDir))
    await output.json({ ...made, systemIdentifier })
  } else {
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    output.message(`made branch ${name} of ${branches.current} in ${seconds} s: ${made.dataDir}`)
    output.message(`use it with: howdah --branch ${shellWord(name)}`)
  }
  return exitStatus.done
}

async function list(context: Context): Promise<number> {
  const { output, options } = context
  const branches = new Branches(openCluster(context).cluster)
  const found = await Promise.all(
    branches.list().map(async (one) => {
      const { state } = await branches.cluster(one.name).status()
      return Object.assign(one, { state, current: one.name === branches.current })
    }),
  )
  if (options.json) await output.json(found)
  else if (found.length === 0) output.message('there is no cluster yet, and no branch')
  else for (const line of await columns(found.map(row))) await output.line(line)
  return exitStatus.done
}

function row({
  name,
  parent,
  at,
  state,
  current,
}: Branch & { readonly state: string; readonly current: boolean }): string[] {
  const origin = parent === null ? '' : `of ${onOneLine(parent)}`
  return [`${current ? '*' : ' '} ${onOneLine(name)}`, state, origin, at?.toISOString() ?? '']
}

async function drop(context: Context, name: string): Promise<number> {
  const { output, options } = context
  const { save } = options
  const { cluster } = openCluster(context)
  output.progress.show(`dropping ${name}`)
  await new Branches(cluster).drop(name, { ...patienceOf(context), save })
  const kept = save === false ? '' : `; ${savedBy(name)}`
  if (options.json) await output.json({ name })
  else output.message(`dropped branch ${name}${kept}`)
  return exitStatus.done
}

/** Replaces the branch of `--branch` by a new copy of its parent. */
export async function resetBranch(context: Context): Promise<number> {
  const { output, options, interruption } = context
  const { save, empty } = options
  if (empty === true) throw misused('reset: a branch is a copy; --empty is for worktrees')
  const open = openCluster(context)
  const branches = new Branches(open.cluster)
  const { current } = branches
  if (current === mainBranch)
    throw misused('reset: main is the cluster itself; "howdah destroy" removes it')
  const made = await branches.reset(current, {
    ...patienceOf(context),
    within: projectDirectory(open.place),
    signal: interruption.signal,
    onProgress: (progress) => output.progress.show(describeProgress(progress)),
    save,
  })
  const former = save === false ? '' : `; what was there: ${savedBy(current)}`
  if (options.json) await output.json(made)
  else output.message(`made branch ${current} anew, as a copy of ${made.parent}${former}`)
  return exitStatus.done
}

function savedBy(name: string): string {
  return `it is saved for 7 days: "howdah undo --branch ${shellWord(name)}" brings it back`
}
