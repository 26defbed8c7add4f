import type { Session, Setting, SettingChange } from '@howdah/cluster'
import { columns } from '@howdah/terminal'
import type { Command, Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'
import { patienceOf } from '../../opening/patience-of.ts'

/** Lists, gets, sets or resets the settings of the server. */
export async function config(
  context: Context,
  [action, ...operands]: readonly string[],
): Promise<number> {
  const act = actions.get(action ?? '')
  if (act !== undefined) return await act(context, operands)
  throw misused(
    `config ${action}: there is no such action; "list", "get", "set" or "reset" settings`,
  )
}

const actions: ReadonlyMap<string, Command> = new Map([
  ['list', list],
  ['get', get],
  ['set', set],
  ['reset', reset],
])

async function list(context: Context, operands: readonly string[]): Promise<number> {
  refuseChanging(context, 'list')
  const [pattern, excess] = operands
  if (excess !== undefined) throw misused('config list: it takes one pattern')
  await using session = await joinCluster(context, { ifExists: true })
  const found = await session.settings.list(pattern)
  const { output, options } = context
  if (options.json) await output.json(found)
  else await table(context, found)
  if (found.length === 0) output.message(`no setting is called like ${pattern}`)
  return exitStatus.done
}

/** Prints a table with the columns name, value, source and description. */
async function table({ output }: Context, found: readonly Setting[]): Promise<void> {
  const rows = found.map((setting) => [
    setting.name,
    setting.text === '' ? "''" : setting.text,
    setting.pendingRestart ? `${setting.source}, another after a restart` : setting.source,
    setting.description,
  ])
  for (const line of await columns(rows, { widest: 40 })) await output.line(line)
}

async function get(context: Context, operands: readonly string[]): Promise<number> {
  refuseChanging(context, 'get')
  const [name, excess] = operands
  if (name === undefined || excess !== undefined)
    throw misused('config get: say which setting, such as work_mem')
  await using session = await joinCluster(context, { ifExists: true })
  const found = await session.settings.get(name)
  const { output, options } = context
  if (options.json) await output.json(found)
  else await output.line(found.text)
  if (found.pendingRestart) output.message(`${found.name}: has another value after a restart`)
  return exitStatus.done
}

function refuseChanging({ options }: Context, action: string): void {
  const stray = (['all', 'restart'] as const).find((name) => options[name] === true)
  if (stray !== undefined) throw misused(`config ${action}: it does not take --${stray}`)
}

async function set(context: Context, operands: readonly string[]): Promise<number> {
  if (context.options.all) throw misused('config set: --all is for "reset"')
  const [name, value] = assignment(operands)
  return await change(context, {
    name,
    ifExists: false,
    make: (session) => session.settings.set(name, value, patienceOf(context)),
    words: { modified: `set ${name} to ${value}`, unmodified: `${name}: was ${value} already` },
  })
}

/** `name value`, or `name=value`. */
function assignment([first, second]: readonly string[]): [name: string, value: string] {
  const [, name, value] = /^([^=]*)=(.*)$/su.exec(first ?? '') ?? []
  if (second === undefined && name !== undefined && value !== undefined) return [name, value]
  if (first === undefined || second === undefined)
    throw misused('config set: say which setting, and its value, such as work_mem 64MB')
  return [first, second]
}

async function reset(context: Context, operands: readonly string[]): Promise<number> {
  const [name, excess] = operands
  if ((name === undefined) !== (context.options.all === true) || excess !== undefined)
    throw misused('config reset: say which setting, such as work_mem, or --all')
  return await change(context, {
    name: name ?? null,
    ifExists: true,
    make: async ({ settings }) =>
      await (name === undefined
        ? settings.resetAll(patienceOf(context))
        : settings.reset(name, patienceOf(context))),
    words:
      name === undefined
        ? { modified: 'reset all settings', unmodified: 'no setting was set' }
        : { modified: `reset ${name}`, unmodified: `${name}: was not set` },
  })
}

/** A change, and how to report it. */
interface Change {
  /** The name of the setting; `null` for all settings. */
  readonly name: string | null
  readonly ifExists: boolean
  readonly make: (session: Session) => Promise<SettingChange>
  readonly words: Readonly<Record<SettingChange['outcome'], string>>
}

async function change(context: Context, { name, ifExists, make, words }: Change): Promise<number> {
  const { output, options, interruption } = context
  await using session = await joinCluster(context, { ifExists })
  const { outcome, overriddenBy, needsRestart } = await make(session)
  const restarted = needsRestart && options.restart === true
  if (restarted) await session.restart({ signal: interruption.signal, ...settingsOf(context) })
  // If the server stops now, the next start applies the change anyway.
  const stays = ['in-use', 'kept'].includes(await session.leave())
  const awaitsRestart = needsRestart && !restarted && stays
  const changed = outcome === 'modified'
  if (options.json) {
    await output.json({
      changed,
      setting: name,
      needsRestart: awaitsRestart,
      restarted,
      overriddenBy,
    })
  } else output.message(words[outcome])
  const what = name ?? 'some of them'
  if (awaitsRestart) {
    output.message(
      `${what}: counts after a restart; when nobody uses it, "howdah stop" and start it again, or do this with --restart`,
    )
  }
  if (overriddenBy !== null)
    output.message(`${what}: does not count, because it is overridden by the ${overriddenBy}`)
  return exitStatus.done
}

function settingsOf({ options }: Context): { settings?: Record<string, string> } {
  return options.set === undefined ? {} : { settings: { ...options.set } }
}
