import type { Command } from './command.ts'
import { copy } from './copy.ts'
import { describeCommand, describing } from './describe.ts'
import { files } from './files.ts'
import { type Groups, helpOn } from './help.ts'
import { printing } from './printing.ts'
import { queries } from './queries.ts'
import { session } from './session.ts'
import { variables } from './variables.ts'

/** All commands, in the order of the help. */
const groups: Groups = [
  ['General', [...session, helpOn(() => groups)]],
  ['Query', queries],
  ['Input and output', [...files, copy]],
  ['Variables', variables],
  ['Formatting', printing],
  ['Informational (S: system objects too, +: more)', describing],
]

const byName: ReadonlyMap<string, Command> = new Map(
  groups.flatMap(([, commands]) =>
    commands.flatMap((command) => command.names.map((name) => [name, command] as const)),
  ),
)

/** The commands of psql that are not known here. */
const unsupported: ReadonlySet<string> = new Set(
  `bind bind_named close_prepared copyright crosstabview ef endpipeline ev flush flushrequest gdesc getresults H html
  lo_export lo_import lo_unlink parse password prompt sendpipeline startpipeline syncpipeline T`.split(
    /\s+/,
  ),
)

/** The command of a name, without the backslash; `undefined` if there is none. */
export function findCommand(name: string): Command | undefined {
  return byName.get(name) ?? describeCommand(name)
}

/** Why there is no such command. */
export function missing(name: string, isInteractive: boolean): string {
  if (unsupported.has(name)) return `\\${name} is not supported here; psql knows it`
  return `invalid command \\${name}${isInteractive ? '\nTry \\? for help.' : ''}`
}

/** The names of commands, for completion; of those that describe, the usual ones. */
export function commandNames(): string[] {
  const usual = 'da db dC dD dE di dm do dp ds dT dv dX'.split(' ')
  return [...byName.keys(), ...usual].filter((name) => /^\w+$/.test(name))
}
