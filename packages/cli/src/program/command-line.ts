import type { Command, Option } from 'commander'
import { CommanderError } from 'commander'
import { declarations } from './declarations.ts'
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
}

/**
 * Parses the command line. Gives the command to run, or the text to print instead.
 *
 * Options may be before and after the command's name. The default command is `shell`. After `exec`, everything from the first
 * word that is no option belongs to the program to run.
 */
export function readCommandLine(args: readonly string[], io: Io): Invocation | Said {
  let invocation: Invocation | null = null
  const said = { out: '', err: '' }
  const program = buildProgram(args, io, said, (asked) => {
    invocation = asked
  })
  const words = arrange(program, args)
  try {
    program.parse(words.args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { ...said, status: error.exitCode === 0 ? exitStatus.done : exitStatus.misused }
  }
  if (invocation === null) return { ...said, status: exitStatus.misused }
  const { declaration, options, operands } = invocation as Invocation
  const { rest } = words
  return { declaration, options, operands: [...operands, ...rest], rest }
}

/**
 * Rearranges the words for rules that commander does not know: the default command is `shell`, `--tcp` takes the next word
 * only if that is a port, and words after `--` of `shell` are for psql.
 */
function arrange(
  program: Command,
  words: readonly string[],
): { args: string[]; rest: readonly string[] } {
  const find = (name: string) => program.commands.find((command) => command.name() === name)
  const args: string[] = []
  let named: string | null = null
  let wantsHelp = false
  let index = 0
  for (; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') {
      if (named !== null && isDeclared(named, 'passesThrough')) break
      named ??= word
      args.push(word)
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
  if (named !== null && isDeclared(named, 'takesRest')) return { args, rest: remaining.slice(1) }
  return { args: [...args, ...remaining], rest: [] }
}

function isDeclared(name: string, trait: 'passesThrough' | 'takesRest'): boolean {
  return declarations.some(
    (declaration) => declaration.name === name && declaration[trait] === true,
  )
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
