import type { Command, Option } from 'commander'
import { CommanderError } from 'commander'
import type { Declaration } from './command.ts'
import { exitStatus } from '../exit-status.ts'
import type { Io } from '../io.ts'
import { buildProgram, type Invocation } from './program.ts'

/** The help or the complaint that a command line leads to, and the exit status. */
export interface Said {
  readonly status: number
  /** For stdout. */
  readonly out: string
  /** For stderr. */
  readonly err: string
  /** Whether the complaint is to be JSON. */
  readonly isJson: boolean
}

/**
 * Parses the command line. Gives the command to run, or the text to print instead.
 *
 * Options may be before and after the command's name. The default command is `shell`. After `exec`, everything from the first
 * word that is no option belongs to the program to run.
 */
export function readCommandLine(
  args: readonly string[],
  io: Io,
  commands: readonly Declaration[],
): Invocation | Said {
  let invocation: Invocation | null = null
  const said = { out: '', err: '' }
  const program = buildProgram(args, io, said, commands, (asked) => {
    invocation = asked
  })
  const words = arrange(program, args, commands)
  try {
    program.parse(words.args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const status = error.exitCode === 0 ? exitStatus.done : exitStatus.misused
    return { ...said, isJson: words.isJson, status }
  }
  if (invocation === null) return { ...said, isJson: words.isJson, status: exitStatus.misused }
  const { declaration, options, operands } = invocation as Invocation
  const { rest } = words
  return { declaration, options, operands: [...operands, ...rest], rest }
}

/**
 * Rearranges the words for rules that commander does not know: the default command is `shell`, `--tcp` takes the next word
 * only if that is a port, words after `--` of `shell` are for psql, a command may have another name, and `help` is for
 * commands that there are.
 */
function arrange(
  program: Command,
  words: readonly string[],
  commands: readonly Declaration[],
): { args: string[]; rest: readonly string[]; isJson: boolean } {
  const declarationOf = (name: string) => commands.find((declaration) => declaration.name === name)
  const find = (name: string) => program.commands.find((command) => command.name() === name)
  const args: string[] = []
  let named: string | null = null
  let wantsHelp = false
  let operands = 0
  let index = 0
  for (; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') {
      if (named !== null && operands === declarationOf(named)?.passesThrough) break
      const isName: boolean = named === null || (named === 'help' && operands === 0)
      const meant: string = isName ? nameOf(word, commands) : word
      if (named !== null) operands += 1
      named ??= meant
      args.push(meant)
    } else if (word === '--tcp') {
      const port = /^\d+$/.test(words[index + 1] ?? '') ? words[++index] : ''
      args.push(`--tcp=${port}`)
    } else {
      args.push(word)
      wantsHelp ||= ['-h', '--help', '-V', '--version'].includes(word)
      const options = [...program.options, ...(find(named ?? 'shell')?.options ?? [])]
      if (takesNext(options, word) && index + 1 < words.length) args.push(words[++index] ?? '')
    }
  }
  const remaining = words.slice(index)
  if (named === null && !wantsHelp) {
    args.unshift('shell')
    named = 'shell'
  }
  const isJson = args.includes('--json')
  if (named !== null && declarationOf(named)?.takesRest === true) {
    return { args, rest: remaining[0] === '--' ? remaining.slice(1) : remaining, isJson }
  }
  // The command that help is asked for is unknown: it is refused as a command would be.
  const [asked] = named === 'help' ? args.filter((word) => !word.startsWith('-')).slice(1) : []
  if (asked !== undefined && find(asked) === undefined) return { args: [asked], rest: [], isJson }
  return { args: [...args, ...remaining], rest: [], isJson }
}

/** The name of the command that a word means. */
function nameOf(word: string, commands: readonly Declaration[]): string {
  return commands.find(({ alias }) => alias === word)?.name ?? word
}

/** Whether an option, or a group of short options such as `-qD`, takes the next word as its value. */
function takesNext(options: readonly Option[], word: string): boolean {
  if (word.startsWith('--')) return options.some(({ long, required }) => required && long === word)
  const taking = word
    .slice(1)
    .split('')
    .findIndex((letter) =>
      options.some(({ short, required }) => required && short === `-${letter}`),
    )
  return taking === word.length - 2
}
