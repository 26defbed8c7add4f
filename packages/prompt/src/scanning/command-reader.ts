import { escapeIdentifier, escapeLiteral } from 'pg'
import { ShellError } from '../errors.ts'
import { referenceAt, resolve } from './reference.ts'

/** Where the values in a command's arguments come from. */
export interface Sources {
  readonly lookUp: (name: string) => string | undefined
  /** Runs a shell command, and returns what it prints. */
  readonly runs: (command: string) => Promise<string>
}

/** How an argument is read. */
export interface WordOptions {
  /** As a name, whose double quotes are taken away. */
  readonly identifier?: boolean
  /** Leaves out semicolons at its end. */
  readonly semicolon?: boolean
  /** If it begins with `|`, it is a shell command, up to the end of the line. */
  readonly pipe?: boolean
}

/**
 * Reads a backslash command and its arguments. An argument ends at a space or at a backslash, which begins the next command.
 *
 * `'…'` may have `\n`, `\t` and the like, `` `…` `` is what a shell command prints, and `:name` a variable.
 *
 * Source: psql's page in PostgreSQL's manual, "Meta-Commands".
 */
export class CommandReader {
  /** Without the backslash. */
  readonly name: string
  readonly #text: string
  readonly #sources: Sources | null
  #position: number

  /** Without sources, variables and backticks are passed over, as in a branch of `\if` that is not taken. */
  constructor(text: string, sources: Sources | null) {
    this.name = /^\\([^\s\\]*)/.exec(text)?.[1] ?? ''
    this.#text = text
    this.#sources = sources
    this.#position = 1 + this.name.length
  }

  /** The next argument; `null` if there is none. Throws if a quote does not end. */
  async word({ identifier = false, semicolon = false, pipe = false }: WordOptions = {}): Promise<
    string | null
  > {
    this.#skipSpace()
    if (this.#isAtEnd) return null
    if (pipe && this.#text[this.#position] === '|') return this.line()
    const parts: string[] = []
    /** The text at the end that is not in quotes. */
    let bare = ''
    const add = (text: string) => {
      parts.push(bare, text)
      bare = ''
    }
    while (!this.#isAtEnd && !/\s/.test(this.#text.charAt(this.#position))) {
      const character = this.#text.charAt(this.#position)
      if (character === "'") add(this.#escaped())
      else if (character === '`') add(await this.#backticks())
      else if (character === '"') {
        const quoted = this.#until('"')
        add(identifier ? quoted : `"${quoted}"`)
        // A doubled quote is one.
        if (identifier && this.#text[this.#position] === '"') parts.push('"')
      } else if (character === ':') {
        const value = this.#reference()
        if (value === null) bare += this.#character()
        else add(value)
      } else bare += this.#character()
    }
    return parts.join('') + (semicolon ? bare.replace(/;+$/, '') : bare)
  }

  /** All further arguments. */
  async words(options: WordOptions = {}): Promise<string[]> {
    const found: string[] = []
    for (let one = await this.word(options); one !== null; one = await this.word(options))
      found.push(one)
    return found
  }

  /** The rest of the line as it is, without the space around it. */
  line(): string {
    const rest = this.#text.slice(this.#position)
    this.#position = this.#text.length
    return rest.trim()
  }

  /** What follows the command on its line: the next command, or SQL after `\\`. */
  leftover(): string {
    this.#skipSpace()
    const rest = this.#text.slice(this.#position)
    return rest.startsWith('\\\\') ? rest.slice(2) : rest
  }

  get #isAtEnd(): boolean {
    return this.#position >= this.#text.length || this.#text[this.#position] === '\\'
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#position))) this.#position += 1
  }

  #character(): string {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#position) ?? 0)
    this.#position += character.length
    return character
  }

  /** The text in quotes that begin here. */
  #until(quote: string): string {
    const end = this.#text.indexOf(quote, this.#position + 1)
    if (end === -1) throw new ShellError('unterminated quoted string')
    const text = this.#text.slice(this.#position + 1, end)
    this.#position = end + 1
    return text
  }

  #escaped(): string {
    const whole = /'((?:[^'\\]|''|\\.)*)'/sy
    whole.lastIndex = this.#position
    const [quoted, inner] = whole.exec(this.#text) ?? []
    if (quoted === undefined || inner === undefined)
      throw new ShellError('unterminated quoted string')
    this.#position += quoted.length
    return inner.replaceAll(
      /''|\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))/gs,
      (_, octal?: string, hexadecimal?: string, letter?: string) => {
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
        if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16))
        return letter === undefined ? "'" : (letters.get(letter) ?? letter)
      },
    )
  }

  async #backticks(): Promise<string> {
    const command = this.#until('`').replaceAll(/:'?"?[\p{L}\p{N}_]+'?"?/gu, (text) => {
      const reference = referenceAt(text, 0)
      if (reference === null || reference.end !== text.length) return text
      return this.#valueOf(reference, shellQuotes) ?? text
    })
    if (this.#sources === null) return ''
    return (await this.#sources.runs(command)).replace(/\r?\n$/, '')
  }

  #reference(): string | null {
    const reference = referenceAt(this.#text, this.#position)
    if (reference === null) return null
    const text = this.#text.slice(this.#position, reference.end)
    this.#position = reference.end
    return (
      this.#valueOf(reference, { literal: escapeLiteral, identifier: escapeIdentifier }) ?? text
    )
  }

  #valueOf(
    reference: NonNullable<ReturnType<typeof referenceAt>>,
    quote: Parameters<typeof resolve>[2],
  ): string | null {
    if (this.#sources === null) return ''
    return resolve(reference, this.#sources.lookUp, quote)
  }
}

const letters: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['b', '\b'],
  ['r', '\r'],
  ['f', '\f'],
])

const shellQuotes = {
  literal: (value: string) => `'${value.replaceAll("'", String.raw`'\''`)}'`,
  identifier: (value: string) => value,
}
