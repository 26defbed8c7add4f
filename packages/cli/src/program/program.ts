import { Command, Help } from 'commander'
import { declarations } from './declarations.ts'
import type { Declaration } from './declared/declaration.ts'
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
const common: readonly OptionName[] = [
  ...([
    'datadir',
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
  ...(['destroy', 'temporary', 'empty', 'force', 'runAs', 'json', 'quiet'] as const),
]

/** The options of few commands, which the help of `howdah` itself leaves out. */
const ofFewCommands: ReadonlySet<OptionName> = new Set<OptionName>([
  'destroy',
  'temporary',
  'empty',
  'force',
  'linger',
])

/** Builds the parser of a command line. It calls `use` with the parsed command line, and `said` with the text to print. */
export function buildProgram(
  words: readonly string[],
  io: Io,
  said: { out: string; err: string },
  use: (invocation: Invocation) => void,
): Command {
  const program = new Command('howdah')
    .description(
      'A real PostgreSQL as easy as SQLite: found or brought, started on demand, shared, and gone afterwards.',
    )
    .usage('[options] [command]')
    .enablePositionalOptions()
    .commandsGroup('Help:')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .version(io.version, '-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: false, subcommandTerm })
    .configureOutput({
      writeOut: (text) => void (said.out += text),
      writeErr: (text) => void (said.err += text),
      getOutHelpWidth: () => helpWidth(io.stdout),
      getErrHelpWidth: () => helpWidth(io.stderr),
      outputError: (text, write) => write(text.replace(/^error: /, 'howdah: ')),
    })
    .exitOverride()
    .showHelpAfterError('see "howdah --help"')
  for (const name of common) program.addOption(declare(name).hideHelp(ofFewCommands.has(name)))
  // All commands together have hundreds of options, so it declares only those of the commands that may be meant.
  for (const declaration of declarations) {
    const { name } = declaration
    const options = name === 'shell' || words.includes(name) ? declaration.options : []
    addCommand(program, { ...declaration, options }, use)
  }
  program.addHelpText(
    'after',
    '\nExit status: 0 done, 1 failed, 2 used wrongly, 69 no PostgreSQL found, 75 somebody else holds it;\n' +
      "after exec, shell, lock and lease that of the program, howdah's own failures being 125.",
  )
  return program
}

/** The line of a command in the list of commands, which does not need its options: `exec [options] <command> [args...]`. */
function subcommandTerm(command: Command): string {
  const declaration = declarations.find(({ name }) => name === command.name())
  if (declaration === undefined) return Help.prototype.subcommandTerm(command)
  const { name, operands } = declaration
  return `${name} [options]${operands === undefined ? '' : ` ${operands}`}`
}

function addCommand(
  program: Command,
  declaration: Declaration,
  use: (invocation: Invocation) => void,
): void {
  const { name, operands, usage, summary, description, notes, options } = declaration
  const command = program
    .command(`${name}${operands === undefined ? '' : ` ${operands}`}`)
    .summary(summary)
    .description(description ?? `${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .helpGroup(`${declaration.group}:`)
    .allowExcessArguments(false)
    .showHelpAfterError(`see "howdah ${name} --help"`)
  if (declaration.passesThrough) command.passThroughOptions()
  if (usage !== undefined) command.usage(usage)
  for (const option of options) command.addOption(declare(option))
  if (notes !== undefined) command.addHelpText('after', `\n${notes}`)
  const scripts: Script[] = []
  command.on('option:command', (sql: string) => scripts.push({ kind: 'command', sql }))
  command.on('option:file', (path: string) => scripts.push({ kind: 'file', path }))
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

/** Merges the options before and after the command's name. */
function merge(program: Command, command: Command, taken: readonly OptionName[]): Options {
  const before = program.opts<Options>()
  // `scripts` contains these two, in their order.
  const {
    command: _command,
    file: _file,
    ...after
  } = command.opts<Options & { command?: string; file?: string }>()
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
