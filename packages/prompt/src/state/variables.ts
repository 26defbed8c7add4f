import { ShellError } from '../errors.ts'
import { booleanOf } from './boolean.ts'

/** The values that a variable of the shell's own may have. */
type Kind = 'boolean' | 'number' | readonly string[]

/** The variables that change what the shell does; psql's page in PostgreSQL's manual, "Variables". */
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['AUTOCOMMIT', 'boolean'],
  ['COMP_KEYWORD_CASE', ['lower', 'upper', 'preserve-lower', 'preserve-upper']],
  ['ECHO', ['none', 'errors', 'queries', 'all']],
  ['ECHO_HIDDEN', ['on', 'off', 'noexec']],
  ['FETCH_COUNT', 'number'],
  ['HISTCONTROL', ['none', 'ignorespace', 'ignoredups', 'ignoreboth']],
  ['HISTSIZE', 'number'],
  ['ON_ERROR_STOP', 'boolean'],
  ['QUIET', 'boolean'],
  ['SHOW_CONTEXT', ['never', 'errors', 'always']],
  ['VERBOSITY', ['default', 'verbose', 'terse', 'sqlstate']],
])

/** The variables of psql that would change what it does, and that are not known here. */
const unsupported: ReadonlySet<string> = new Set([
  'IGNOREEOF',
  'ON_ERROR_ROLLBACK',
  'SINGLELINE',
  'SINGLESTEP',
])

const defaults: readonly (readonly [string, string])[] = [
  ['AUTOCOMMIT', 'on'],
  ['COMP_KEYWORD_CASE', 'preserve-upper'],
  ['ECHO', 'none'],
  ['ECHO_HIDDEN', 'off'],
  ['FETCH_COUNT', '0'],
  ['HISTCONTROL', 'none'],
  ['HISTSIZE', '500'],
  ['ON_ERROR_STOP', 'off'],
  ['PROMPT1', '%/%R%x%# '],
  ['PROMPT2', '%/%R%x%# '],
  ['PROMPT3', '>> '],
  ['QUIET', 'off'],
  ['SHOW_CONTEXT', 'errors'],
  ['VERBOSITY', 'default'],
]

/** The variables of `\set`, which scripts use as `:name`, and by which the shell is told what to do. */
export class Variables {
  readonly #values = new Map<string, string>(defaults)

  readonly get = (name: string): string | undefined => this.#values.get(name)

  /** Whether a switch is on. */
  isOn(name: string): boolean {
    return booleanOf(this.#values.get(name) ?? 'off') === true
  }

  /** Sets a variable. Throws if it has no such name or value. */
  set(name: string, value: string): void {
    if (!/^[\p{L}\p{N}_]+$/u.test(name)) throw new ShellError(`invalid variable name: "${name}"`)
    if (unsupported.has(name))
      throw new ShellError(`the variable ${name} is not supported here; psql knows it`)
    this.#values.set(name, valid(name, value))
  }

  /** Removes a variable. One of the shell's own gets its default. */
  unset(name: string): void {
    if (!/^[\p{L}\p{N}_]+$/u.test(name)) throw new ShellError(`invalid variable name: "${name}"`)
    const given = defaults.find(([one]) => one === name)
    if (given === undefined || name.startsWith('PROMPT')) this.#values.delete(name)
    else this.#values.set(name, name === 'AUTOCOMMIT' ? 'off' : given[1])
  }

  /** All, by name. */
  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    yield* [...this.#values].toSorted(([one], [other]) => (one < other ? -1 : 1))
  }
}

function valid(name: string, value: string): string {
  const kind = kinds.get(name)
  if (kind === undefined) return value
  if (kind === 'boolean') {
    if (value === '') return 'on'
    if (booleanOf(value) === null)
      throw new ShellError(`unrecognized value "${value}" for "${name}": Boolean expected`)
    return value
  }
  if (kind === 'number') {
    if (!/^-?\d+$/.test(value))
      throw new ShellError(`invalid value "${value}" for "${name}": integer expected`)
    return value
  }
  const switched = booleanOf(value)
  if (kind.includes('on') && switched !== null) return switched ? 'on' : 'off'
  const found = kind.find((one) => one === value.toLowerCase())
  if (found === undefined)
    throw new ShellError(
      `unrecognized value "${value}" for "${name}"\nAvailable values are: ${kind.join(', ')}.`,
    )
  return found
}
