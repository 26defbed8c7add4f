import { Command, Help } from 'commander'
import type { Declaration } from './command.ts'
import { exitStatus } from '../exit-status.ts'
import type { Io } from '../io.ts'
import { declare } from './declare-option.ts'
import type { OptionName, Options, Script } from './options.ts'

/** A parsed command line. */
export interface Invocation {
  readonly declaration: Declaration
  readonly options: Options
  readonly operands: readonly string[]
  /** The words after `--`, if the command accepts them. */
  readonly rest: readonly string[]
}

/** The options that are also accepted before the command's name. */
export const commonOptions: readonly OptionName[] = [
  ...([
    'datadir',
    'branch',
    'database',
    'set',
    'mode',
    'tcp',
    'tls',
    'runtime',
    'install',
    'linger',
    'timeout',
  ] as const),
  ...(['destroy', 'temporary', 'empty', 'ifExists', 'force', 'runAs', 'json', 'quiet'] as const),
]

/** What howdah is. */
export const describe =
  'A real PostgreSQL as easy as SQLite: found or brought, started on demand, shared, and gone afterwards.'

/** The exit statuses of all commands. */
export const exitStatuses =
  'Exit status: 0 done, 1 failed, 2 used wrongly, 69 no PostgreSQL found, 75 somebody else holds it;\n' +
  "after exec, shell, lock and lease that of the program, howdah's own failures being 125."

/** The options of few commands, which the help of `howdah` itself leaves out. */
const ofFewCommands: ReadonlySet<OptionName> = new Set<OptionName>([
  'branch',
  'destroy',
  'temporary',
  'empty',
  'ifExists',
  'force',
  'linger',
])

/** Builds the parser of a command line. It calls `use` with the parsed command line, and `said` with the text to print. */
export function buildProgram(
  words: readonly string[],
  io: Io,
  said: { out: string; err: string },
  commands: readonly Declaration[],
  use: (invocation: Invocation) => void,
): Command {
  const program = new Command('howdah')
    .description(describe)
    .usage('[options] [command]')
    .enablePositionalOptions()
    .commandsGroup('Help:')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .version(io.version, '-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: false, subcommandTerm: termOf(commands) })
    .configureOutput({
      writeOut: (text) => void (said.out += text),
      writeErr: (text) => void (said.err += text),
      getOutHelpWidth: () => helpWidth(io.stdout),
      getErrHelpWidth: () => helpWidth(io.stderr),
      outputError: (text, write) => write(text.replace(/^error: /, 'howdah: ')),
    })
    .exitOverride()
    .showHelpAfterError('see "howdah --help"')
  for (const name of commonOptions)
    program.addOption(declare(name).hideHelp(ofFewCommands.has(name)))
  // All commands together have hundreds of options, so it declares only those of the commands that may be meant.
  for (const declaration of commands) {
    const { name, alias } = declaration
    const isMeant = name === 'shell' || words.some((word) => word === name || word === alias)
    const options = isMeant ? declaration.options : []
    addCommand(program, { ...declaration, options }, use)
  }
  program.addHelpText('after', `\n${exitStatuses}`)
  return program
}

/** The line of a command in the list of commands, which does not need its options: `exec [options] <command> [args...]`. */
function termOf(commands: readonly Declaration[]): (command: Command) => string {
  return (command) => {
    const declaration = commands.find(({ name }) => name === command.name())
    if (declaration === undefined) return Help.prototype.subcommandTerm(command)
    const { name, operands } = declaration
    return `${name} [options]${operands === undefined ? '' : ` ${operands}`}`
  }
}

function addCommand(
  program: Command,
  declaration: Declaration,
  use: (invocation: Invocation) => void,
): void {
  const { name, operands, summary, description, notes, options, requires = [] } = declaration
  const command = program
    .command(`${name}${operands === undefined ? '' : ` ${operands}`}`)
    .summary(summary)
    .description(description ?? summaryOf(declaration))
    .helpGroup(`${declaration.group}:`)
    .allowExcessArguments(false)
    .showHelpAfterError(`see "howdah ${name} --help"`)
  if (declaration.passesThrough === 0) command.passThroughOptions()
  command.usage(usageOf(declaration))
  for (const option of options)
    command.addOption(declare(option).makeOptionMandatory(requires.includes(option as OptionName)))
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`)
  const scripts: Script[] = []
  if (options.includes('sql')) {
    command.on('option:command', (sql: string) => scripts.push({ kind: 'command', sql }))
    command.on('option:file', (path: string) => scripts.push({ kind: 'file', path }))
  }
  command.action(() => {
    const merged = merge(program, command, options)
    use({
      declaration,
      options: scripts.length > 0 ? { ...merged, scripts } : merged,
      operands: command.args,
      rest: [],
    })
  })
}

/** The words after the command's name in the first line of its help: required options are among them. */
export function usageOf({ usage, operands, requires = [] }: Declaration): string {
  const required = requires.map((name) => declare(name).flags)
  return usage ?? ['[options]', ...required, operands ?? []].flat().join(' ')
}

/** The summary of a command as a sentence. */
export function summaryOf({ summary }: Pick<Declaration, 'summary'>): string {
  return `${summary[0]?.toUpperCase()}${summary.slice(1)}.`
}

/** Merges the options before and after the command's name. */
function merge(program: Command, command: Command, taken: Declaration['options']): Options {
  const before = program.opts<Options>()
  const own = command.opts<Options & { file?: string }>()
  const { command: given, file: _file, ...others } = own
  // `scripts` contains these two of `shell`, in their order.
  const after = taken.includes('shellCommand') && given !== undefined ? own : others
  const stray = Object.keys(before).find((name) => !taken.includes(name as OptionName))
  if (stray !== undefined) {
    const flag = program.options.find((option) => option.attributeName() === stray)?.long ?? stray
    command.error(`error: option '${flag}' is none of "howdah ${command.name()}"`, {
      exitCode: exitStatus.misused,
    })
  }
  const set = { ...before.set, ...after.set }
  const env = { ...before.env, ...after.env }
  return {
    ...before,
    ...after,
    ...(Object.keys(set).length > 0 && { set }),
    ...(Object.keys(env).length > 0 && { env }),
  }
}

function helpWidth(stream: {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}): number {
  return stream.isTTY === true && stream.columns !== undefined ? Math.min(stream.columns, 110) : 100
}
