import { ask, columns, onOneLine } from '@howdah/terminal'
import type { Command, Context } from '../../program/command.ts'
import { databaseName } from '../../opening/database-name.ts'
import { megabytes } from '../../opening/describe-progress.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { isSaved } from '../../project/destroy-cluster.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Saves, restores, lists or drops snapshots of databases. */
export async function snapshot(
  context: Context,
  [action = '', ...names]: readonly string[],
): Promise<number> {
  const act = actions.get(action)
  if (act === undefined)
    throw misused(
      `snapshot ${action}: there is no such action; "save", "restore", "list" or "drop"`,
    )
  const wanted = act === list ? 0 : 1
  if (names.length !== wanted) {
    const what = wanted === 0 ? 'it takes no name' : 'say which, as with: snapshot save NAME'
    throw misused(`snapshot ${action}: ${what}`)
  }
  return await act(context, names)
}

const actions: ReadonlyMap<string, Command> = new Map([
  ['save', save],
  ['restore', restore],
  ['list', list],
  ['drop', drop],
])

async function save(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options, interruption } = context
  const { replace } = options
  await using session = await joinCluster(context, { ifExists: true })
  const saved = await asking(context, async (force) => {
    output.progress.show(`saving ${name}`)
    const { signal } = interruption
    return await session.snapshots.save(name, {
      database: databaseOf(context),
      replace,
      force,
      signal,
    })
  })
  if (options.json) await output.json(saved)
  else
    output.message(
      `saved snapshot ${name} of database ${saved.database}: ${megabytes(saved.size)} MB`,
    )
  return exitStatus.done
}

async function restore(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options, interruption } = context
  await using session = await joinCluster(context, { ifExists: true })
  const restored = await asking(context, async (force) => {
    output.progress.show(`restoring ${name}`)
    return await session.snapshots.restore(name, {
      database: databaseOf(context),
      to: options.to,
      save: options.save,
      force,
      signal: interruption.signal,
      onNotice: (notice) => output.message(`howdah: ${notice}`),
    })
  })
  if (options.json) await output.json(restored)
  else {
    const former = restored.saved ? `; what was there: ${isSaved}` : ''
    output.message(
      `restored database ${restored.to} from snapshot ${name} of ${restored.at.toISOString()}${former}`,
    )
  }
  return exitStatus.done
}

async function list(context: Context): Promise<number> {
  const { output, options } = context
  await using session = await joinCluster(context, { ifExists: true })
  const found = await session.snapshots.list({ database: options.database })
  if (options.json) await output.json(found)
  else if (found.length === 0) output.message('there are no snapshots')
  else {
    const rows = found.map(({ name, database, at, size }) => [
      onOneLine(name),
      `of ${onOneLine(database)}`,
      at.toISOString(),
      `${megabytes(size)} MB`,
    ])
    for (const line of await columns(rows)) await output.line(line)
  }
  return exitStatus.done
}

async function drop(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options } = context
  const database = databaseOf(context)
  await using session = await joinCluster(context, { ifExists: true })
  const changed = (await session.snapshots.drop(name, { database })) === 'modified'
  if (options.json) await output.json({ changed, name, database })
  else
    output.message(
      changed
        ? `dropped snapshot ${name} of database ${database}`
        : `database ${database} has no snapshot ${name}`,
    )
  return exitStatus.done
}

function databaseOf({ io, options }: Context): string {
  return options.database ?? databaseName(io.env)
}

/** Runs an action that nobody may be in the way of. If somebody is, asks on a terminal whether to end their sessions. */
async function asking<Result>(
  context: Context,
  action: (force: boolean) => Promise<Result>,
): Promise<Result> {
  const { options, output } = context
  const { force = false } = options
  try {
    return await action(force)
  } catch (error) {
    const { code, message, clients } = error as Error & {
      code?: string
      clients?: { pid: number | null }[]
    }
    const isInUse = code === 'ERR_CLUSTER_TEMPLATE_IN_USE' || code === 'ERR_CLUSTER_DATABASE_IN_USE'
    if (!isInUse || force || clients?.every(({ pid }) => pid !== null) !== true) throw error
    if (!(await ask(context, `${message.split('; ')[0]}; end these sessions?`))) throw error
    return await action(true)
  } finally {
    output.progress.clear()
  }
}
