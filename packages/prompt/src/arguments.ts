import { parseArgs } from 'node:util'
import { ShellError } from './errors.ts'
import { setPrintOption } from './commands/pset.ts'
import type { Script } from './host.ts'
import { zero } from './printing/print-options.ts'
import type { Shell } from './state/shell.ts'

/** What arguments of psql ask for. */
export interface Arguments {
  /** The scripts of `-c`, `-f` and `-l`, in order. */
  readonly scripts: readonly Script[]
  /** `-o`: where results go. */
  readonly output: string | null
  /** `-1`: run the scripts in one transaction. */
  readonly singleTransaction: boolean
  /** Sets variables and print options. Throws if there is no such value. */
  apply(shell: Shell): void
}

const text = { type: 'string', multiple: true } as const
const flag = { type: 'boolean', multiple: true } as const

const options = {
  command: { ...text, short: 'c' },
  file: { ...text, short: 'f' },
  list: { ...flag, short: 'l' },
  set: { ...text, short: 'v' },
  variable: text,
  'no-psqlrc': { ...flag, short: 'X' },
  'single-transaction': { ...flag, short: '1' },
  'echo-all': { ...flag, short: 'a' },
  'echo-errors': { ...flag, short: 'b' },
  'echo-queries': { ...flag, short: 'e' },
  'echo-hidden': { ...flag, short: 'E' },
  output: { ...text, short: 'o' },
  quiet: { ...flag, short: 'q' },
  'no-align': { ...flag, short: 'A' },
  csv: flag,
  'field-separator': { ...text, short: 'F' },
  'field-separator-zero': { ...flag, short: 'z' },
  pset: { ...text, short: 'P' },
  'record-separator': { ...text, short: 'R' },
  'record-separator-zero': { ...flag, short: '0' },
  'tuples-only': { ...flag, short: 't' },
  expanded: { ...flag, short: 'x' },
  'no-readline': { ...flag, short: 'n' },
} as const

/** Reads arguments as psql has them. Throws a `ShellError` about the first one that is not known here. */
export function readArguments(args: readonly string[]): Arguments {
  const { tokens } = parse(args)
  const scripts: Script[] = []
  const actions: ((shell: Shell) => void)[] = []
  let output: string | null = null
  let singleTransaction = false
  const nothing = () => undefined
  const own = new Map<string, (value: string) => void>([
    ['command', (sql) => scripts.push({ kind: 'command', sql })],
    ['file', (path) => scripts.push({ kind: 'file', path })],
    ['list', () => scripts.push({ kind: 'command', sql: String.raw`\l` })],
    ['output', (value) => (output = value)],
    ['single-transaction', () => (singleTransaction = true)],
    // There is no psqlrc, and no line is edited in a script.
    ['no-psqlrc', nothing],
    ['no-readline', nothing],
  ])
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new ShellError(
        `"${token.value}" is not understood: the database is chosen with -d, before the --`,
      )
    if (token.kind !== 'option') continue
    const value = token.value ?? ''
    const take = own.get(token.name)
    if (take === undefined) actions.push((shell) => apply(shell, token.name, value))
    else take(value)
  }
  return {
    scripts,
    output,
    singleTransaction,
    apply: (shell) => actions.forEach((action) => action(shell)),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, tokens: true, allowPositionals: true })
  } catch (error) {
    throw new ShellError(
      `${(error as Error).message.split('. ', 1)[0]}; without psql, there are ${known}`,
      { cause: error },
    )
  }
}

const known = Object.entries(options)
  .map(([name, option]) => ('short' in option ? `-${option.short}` : `--${name}`))
  .join(' ')

function apply(shell: Shell, name: string, value: string): void {
  const { variables, print } = shell
  switch (name) {
    case 'set':
    case 'variable': {
      const [variable = '', ...rest] = value.split('=')
      if (rest.length === 0) variables.unset(variable)
      else variables.set(variable, rest.join('='))
      return
    }
    case 'pset': {
      const [option = '', ...rest] = value.split('=')
      setPrintOption(print, option, rest.length === 0 ? null : rest.join('='))
      return
    }
    case 'echo-all':
      variables.set('ECHO', 'all')
      return
    case 'echo-errors':
      variables.set('ECHO', 'errors')
      return
    case 'echo-queries':
      variables.set('ECHO', 'queries')
      return
    case 'echo-hidden':
      variables.set('ECHO_HIDDEN', 'on')
      return
    case 'quiet':
      variables.set('QUIET', 'on')
      return
    case 'no-align':
      print.format = 'unaligned'
      return
    case 'csv':
      print.format = 'csv'
      return
    case 'field-separator':
      print.fieldSeparator = value
      return
    case 'field-separator-zero':
      print.fieldSeparator = zero
      return
    case 'record-separator':
      print.recordSeparator = value
      return
    case 'record-separator-zero':
      print.recordSeparator = zero
      return
    case 'tuples-only':
      print.tuplesOnly = true
      return
    case 'expanded':
      print.expanded = 'on'
      return
    default:
      throw new ShellError(`--${name} is not known here`)
  }
}
