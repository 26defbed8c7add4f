import { Nesting } from './nesting.ts'

/** One SQL statement, or one of psql's backslash commands. */
export interface ScannedStatement {
  readonly kind: 'sql' | 'command'
  /** From its first word on, without the semicolon. */
  readonly text: string
  /** The line of its first word, from 1. */
  readonly line: number
}

/**
 * Finds the statements in SQL that arrives in parts. No text is examined twice, so a value of many megabytes takes no longer than
 * many small ones.
 *
 * Semicolons within `'…'`, `"…"`, `E'…\'…'`, `$tag$…$tag$`, comments (which nest), parentheses and the `BEGIN ATOMIC … END` of a
 * function's body end nothing. Strings follow the standard (`standard_conforming_strings`). A backslash at the
 * begin of a statement starts a command, which ends with its line.
 *
 * Source: "Lexical Structure" in PostgreSQL's manual, and psql's scanner.
 */
export class StatementScanner {
  #text = ''
  /** The position in `#text` up to which it was examined. */
  #position = 0
  /** The position in `#text` of the first word of the unfinished statement. */
  #first: number | null = null
  #nesting = new Nesting()
  /** A token that has not ended yet. It knows where to continue the search for its end. */
  #open: Token | null = null
  /** The number of the line that ends at `#lineEnd`, the first line end that was not counted. */
  #line = 1
  #lineEnd = -1
  /** Where to continue the search for a line end if none was found. */
  #counted = 0
  /** The parts that were added after `#text` while the end of a long value is searched. */
  #parts: string[] = []
  /** Their total length. */
  #aside = 0
  #isWhole = false
  readonly #commands: boolean

  /** Without `commands`, a backslash is part of a statement, as for PostgreSQL itself. */
  constructor({ commands = true }: { commands?: boolean | undefined } = {}) {
    this.#commands = commands
  }

  /** Whether everything was added. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Adds the next part. */
  add(text: string): void {
    if (this.#putsAside(text)) return
    this.#join()
    // Finished statements are dropped here, once for each part and not for each statement.
    const keep = Math.min(this.#first ?? this.#position, this.#position)
    this.#countTo(keep)
    this.#text = this.#text.slice(keep) + text
    this.#position -= keep
    this.#counted = Math.max(0, this.#counted - keep)
    this.#lineEnd = this.#counted - 1
    if (this.#first !== null) this.#first -= keep
    if (this.#open !== null) this.#open.from -= keep
  }

  /** Declares the end of the text, so that the last statement needs no semicolon. */
  end(): void {
    this.#join()
    this.#isWhole = true
  }

  #join(): void {
    if (this.#parts.length === 0) return
    this.#text = [this.#text, ...this.#parts].join('')
    this.#parts = []
    this.#aside = 0
    this.#lineEnd = this.#counted - 1
  }

  /** Puts a part aside in which a long value does not end, because joining it now would copy the value for each part. */
  #putsAside(part: string): boolean {
    const open = this.#open
    const last = this.#parts.at(-1) ?? this.#text
    if (open?.resume === undefined || last.length < longestMark) return false
    const window = last.slice(-longestMark) + part
    const offset = this.#text.length + this.#aside - longestMark
    if (open.end(window, open.from - offset) !== null) return false
    open.from = offset + open.resume(window, open.from - offset)
    this.#parts.push(part)
    this.#aside += part.length
    return true
  }

  /** The next statement; `null` if it is not complete yet, or there is no further one. */
  next(): ScannedStatement | null {
    if (this.#parts.length > 0) return null
    while (this.#position < this.#text.length) {
      const from = this.#position
      const end = this.#tokenEnd(from)
      if (end === null) break
      this.#position = end
      const text = this.#text.slice(from, Math.min(end, from + 16))
      if (this.#commands && this.#first === null && text.startsWith('\\'))
        return this.#take('command', from, end)
      if (text === ';' && this.#nesting.atTop) {
        if (this.#first !== null) return this.#take('sql', this.#first, from)
      } else if (!/^(?:\s|--|\/\*)/.test(text)) {
        this.#first ??= from
        this.#nesting.take(text)
      }
    }
    if (!this.#isWhole || this.#first === null) return null
    this.#position = this.#text.length
    return this.#take('sql', this.#first, this.#position)
  }

  /**
   * Skips the rest of the line of the last statement, and takes the data after it that have arrived; `null` if the line is not
   * complete yet.
   */
  takeData(): string | null {
    const lineEnd = this.#text.indexOf('\n', this.#position)
    if (lineEnd === -1 && !this.#isWhole) return null
    const begin = lineEnd === -1 ? this.#text.length : lineEnd + 1
    const data = this.#text.slice(begin)
    this.#countTo(begin)
    this.#text = ''
    this.#position = 0
    this.#counted = 0
    this.#lineEnd = -1
    return data
  }

  /** How many characters of the last added part were examined, if the part was added at once. */
  get position(): number {
    return this.#position
  }

  /** The unfinished statement at the end; `null` if there is only space and comments. */
  get unfinished(): ScannedStatement | null {
    // A first word at the very end may be incomplete, so it does not count yet.
    const next = this.#text.slice(this.#position, this.#position + 2)
    const begins = next !== '' && !/^(?:\s|--|\/\*)/.test(next)
    const first = this.#first ?? (begins ? this.#position : null)
    if (first === null) return null
    this.#countTo(first)
    return { kind: 'sql', text: this.#text.slice(first).trimEnd(), line: this.#line }
  }

  /** The line of what comes next. */
  get line(): number {
    this.#countTo(this.#position)
    return this.#line
  }

  /** Counts lines that were read elsewhere. */
  passLines(count: number): void {
    this.#line += count
  }

  #take(kind: ScannedStatement['kind'], from: number, until: number): ScannedStatement {
    this.#countTo(from)
    const statement = { kind, text: this.#text.slice(from, until).trimEnd(), line: this.#line }
    this.#first = null
    this.#nesting = new Nesting()
    return statement
  }

  #countTo(position: number): void {
    for (;;) {
      // The search continues at the last line end, so that a text without line ends is not read again.
      if (this.#lineEnd < this.#counted) {
        const next = this.#text.indexOf('\n', this.#counted)
        this.#lineEnd = next === -1 ? this.#text.length : next
      }
      if (this.#lineEnd >= position || this.#text[this.#lineEnd] !== '\n') return
      this.#line += 1
      this.#counted = this.#lineEnd + 1
    }
  }

  /** Where the token at a position ends; `null` if its end has not arrived. */
  #tokenEnd(position: number): number | null {
    const token = this.#open ?? this.#begin(position)
    if (token === null || typeof token === 'number') return token
    const end = token.end(this.#text, token.from)
    if (end !== null || this.#isWhole) {
      this.#open = null
      return end ?? this.#text.length
    }
    const from = token.resume?.(this.#text, token.from) ?? token.from
    this.#open = { ...token, from }
    return null
  }

  /** Whether a token that ends there may become longer with more text. */
  #mayGoOn(end: number): boolean {
    return !this.#isWhole && end === this.#text.length
  }

  /** Where a short token ends, or how to find the end of a long one; `null` if more text is needed to recognize it. */
  #begin(position: number): number | Token | null {
    const text = this.#text
    const character = text.charAt(position)
    switch (character) {
      case "'":
      case '"':
        return endsWith(character, position + 1)
      case '\\':
        return this.#commands && this.#first === null ? endsWith('\n', position) : position + 1
      case '-':
        if (text[position + 1] === '-') return endsWith('\n', position)
        return this.#mayGoOn(position + 1) ? null : position + 1
      case '/':
        if (text[position + 1] === '*') return { end: commentEnd, from: position }
        return this.#mayGoOn(position + 1) ? null : position + 1
      case '$': {
        const tag = matchAt(dollarTag, text, position)
        if (tag !== null) return endsWith(tag, position + tag.length)
        const name = matchAt(tagBegin, text, position) ?? '$'
        return this.#mayGoOn(position + name.length) ? null : position + 1
      }
      default: {
        const found = matchAt(space, text, position) ?? matchAt(word, text, position) ?? character
        const end = position + found.length
        if (this.#mayGoOn(end) && /^[\w\u0080-\u{10FFFF}]/u.test(found)) return null
        if (/^e$/i.test(found) && text[end] === "'")
          return { end: escapedStringEnd, resume: escapedQuote, from: end + 1 }
        return end
      }
    }
  }
}

/** A token with an unknown end. */
interface Token {
  /** Where it ends; `null` if its end has not arrived. */
  readonly end: (text: string, from: number) => number | null
  /** Where to continue when more text has arrived; missing if the search has to start at the begin of the token. */
  readonly resume?: (text: string, from: number) => number
  /** Where to start the search. */
  from: number
}

/** A token that ends with the next mark. */
function endsWith(mark: string, from: number): Token {
  return {
    end: (text, begin) => after(text, mark, begin),
    // A mark may lie across two parts.
    resume: (text, begin) => Math.max(begin, text.length - mark.length + 1),
    from,
  }
}

/** In characters: `$tag$` with a name as long as PostgreSQL's names can be. */
const longestMark = 66

const space = /\s+/y
const word = /[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_$\u0080-\u{10FFFF}]*/uy
const dollarTag = /\$(?:[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_\u0080-\u{10FFFF}]*)?\$/uy

const tagBegin = /\$(?:[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_\u0080-\u{10FFFF}]*)?/uy

function after(text: string, what: string, from: number): number | null {
  const found = text.indexOf(what, from)
  return found === -1 ? null : found + what.length
}

function matchAt(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? null
}

function commentEnd(text: string, from: number): number | null {
  const edge = /\/\*|\*\//g
  edge.lastIndex = from
  let depth = 0
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return null
}

/** The position of a quote without a backslash before it, or where to continue the search. */
function escapedQuote(text: string, from: number): number {
  let position = from
  for (; position < text.length; position += 1) {
    if (text[position] === '\\') position += 1
    else if (text[position] === "'") break
  }
  return position
}

function escapedStringEnd(text: string, from: number): number | null {
  const quote = escapedQuote(text, from)
  return quote < text.length ? quote + 1 : null
}
