import { findProgram } from '@howdah/durable'
import { dropKnownDatabases, type KnownDatabase, knownDatabases } from '@howdah/testing/inventory'
import { columns, onOneLine, runChild, workingDirectory } from '@howdah/terminal'
import type { Command, Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'

/** Lists, drops or opens databases of tests. */
export async function testdb(
  context: Context,
  [action, ...names]: readonly string[],
): Promise<number> {
  const act = actions.get(action ?? '')
  if (act !== undefined) return await act(context, names)
  throw misused(`testdb ${action}: there is no such action; "ls", "drop" or "shell"`)
}

const actions: ReadonlyMap<string, Command> = new Map([
  ['ls', ls],
  ['drop', drop],
  ['shell', shell],
])

async function ls({ output, options }: Context): Promise<number> {
  const found = await knownDatabases({ server: options.server })
  if (options.json) await output.json(found)
  else for (const line of await columns(found.map(row))) await output.line(line)
  if (found.length === 0 && !options.json) output.message('there are no databases of tests')
  return exitStatus.done
}

function row({ name, state, isOwned, user, project, test }: KnownDatabase): string[] {
  const owner = isOwned ? `owned by ${user ?? 'somebody'}` : 'nobody owns it'
  return [name, state, owner, onOneLine(project ?? '?'), onOneLine(test ?? '')]
}

async function drop({ output, options }: Context, names: readonly string[]): Promise<number> {
  const { server, all = false } = options
  if (all === names.length > 0) throw misused('testdb drop: say which, or --all')
  const dropped = await dropKnownDatabases(all ? 'all' : names, { server })
  if (options.json) await output.json({ dropped })
  else for (const name of dropped) output.message(`dropped ${name}`)
  const left = names.filter((name) => !dropped.includes(name))
  for (const name of left)
    output.message(`${name}: is not there, or somebody uses it; "howdah testdb ls" says who`)
  return left.length === 0 ? exitStatus.done : exitStatus.failed
}

async function shell(context: Context, [name, excess]: readonly string[]): Promise<number> {
  if (name === undefined || excess !== undefined) throw misused('testdb shell: say which database')
  const { io, interruption, options, output } = context
  const { server } = options
  if (server === undefined) {
    const found = (await knownDatabases()).find((one) => one.name === name)
    if (found === undefined)
      throw misused(`testdb shell: there is no ${name}; "howdah testdb ls" lists what there is`)
    const open = await import('../shell.ts')
    const there = { ...options, datadir: found.server, database: name }
    return await open.shell({ ...context, options: there, place: undefined }, [])
  }
  const psql = findProgram('psql', io.env['PATH'], { cwd: workingDirectory(io) })
  if (psql === null) throw misused("there is no psql here; install PostgreSQL's client programs")
  const url = new URL(server)
  url.pathname = `/${name}`
  return await runChild(io, interruption, {
    command: psql,
    args: [url.href],
    env: io.env,
    refuge: '/',
    interactive: io.stdin.isTTY === true,
    onFailure: (message) => output.complain(`howdah: ${message}`),
  })
}
