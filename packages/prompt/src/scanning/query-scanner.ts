import { escapeIdentifier, escapeLiteral } from 'pg'
import { Nesting } from '@howdah/dump'
import { referenceAt, resolve } from './reference.ts'

/** A query that has ended with a semicolon, or a backslash command with the rest of its line. */
export interface Scanned {
  readonly kind: 'query' | 'command'
  readonly text: string
}

/** What the text so far ends in, as the prompt shows it: `=` for nothing, `-` for a query, or an open quote or parenthesis. */
export type Unfinished = '=' | '-' | "'" | '"' | '$' | '*' | '('

/** A token that goes on until its end mark. */
interface OpenToken {
  readonly kind: Unfinished
  /** Where it ends, from a position on; `null` if it does not end in the text. */
  end(text: string, from: number): number | null
  /** Whether it is no part of a query that has not begun. */
  readonly isComment?: true
}

/**
 * Finds queries and backslash commands in lines, as psql does: a backslash outside of quotes begins a command anywhere, `:name`,
 * `:'name'` and `:"name"` are replaced by variables, and `\;` does not end the query.
 *
 * Source: psql's page in PostgreSQL's manual, "Meta-Commands" and "SQL Interpolation".
 */
export class QueryScanner {
  readonly #lookUp: (name: string) => string | undefined
  #query = ''
  #input = ''
  #position = 0
  #open: OpenToken | null = null
  #nesting = new Nesting()
  #parentheses = 0
  /** The variables whose values are being scanned, with the length of what follows them. */
  #expanding: { readonly name: string; readonly after: number }[] = []

  readonly #complain: (message: string) => void

  /** Says through `complain` that a variable has itself in its value. */
  constructor(
    lookUp: (name: string) => string | undefined,
    complain: (message: string) => void = () => undefined,
  ) {
    this.#lookUp = lookUp
    this.#complain = complain
  }

  /** Adds what follows: a line with its end, or what a command has left of its line. */
  add(text: string): void {
    this.#input = text + this.#input.slice(this.#position)
    this.#position = 0
  }

  /** The next query or command; `null` if more text is needed. */
  next(): Scanned | null {
    while (this.#position < this.#input.length) {
      const found = this.#step()
      if (found !== null) return found
    }
    return null
  }

  /** The query that has not ended. */
  get query(): string {
    return this.#query.trimEnd()
  }

  /** Replaces the query that has not ended. */
  set query(text: string) {
    this.#query = ''
    this.#open = null
    this.#nesting = new Nesting()
    this.#parentheses = 0
    if (text === '') return
    // It may have open quotes and parentheses of its own.
    const rest = this.#input.slice(this.#position)
    const scanner = new QueryScanner(() => undefined)
    scanner.add(text)
    while (scanner.next() !== null);
    this.#query = text
    this.#open = scanner.#open
    this.#nesting = scanner.#nesting
    this.#parentheses = scanner.#parentheses
    this.#input = rest
    this.#position = 0
  }

  /** Throws away what was read. */
  clear(): void {
    this.query = ''
    this.#input = ''
    this.#position = 0
    this.#expanding = []
  }

  get unfinished(): Unfinished {
    if (this.#open !== null) return this.#open.kind
    if (this.#parentheses > 0) return '('
    return this.query === '' ? '=' : '-'
  }

  #step(): Scanned | null {
    const text = this.#input
    const at = this.#position
    if (this.#open !== null) {
      const open = this.#open
      const end = open.end(text, at)
      if (end !== null) this.#open = null
      this.#take(end ?? text.length, open.isComment === true)
      return null
    }
    const blank = matchAt(space, text, at)
    if (blank !== null) return this.#take(at + blank.length, true)
    if (text.startsWith('--', at)) return this.#take(lineEnd(text, at), true)
    if (text.startsWith('/*', at)) return this.#begin(blockComment(), at + 2)
    const found = matchAt(word, text, at)
    if (found !== null) {
      this.#nesting.take(found)
      const end = at + found.length
      return /^e$/i.test(found) && text[end] === "'"
        ? this.#begin(escapedString, end + 1)
        : this.#take(end)
    }
    return this.#symbol(text.charAt(at))
  }

  #symbol(character: string): Scanned | null {
    const text = this.#input
    const at = this.#position
    switch (character) {
      case "'":
      case '"':
        return this.#begin(until(character, character), at + 1)
      case '$': {
        const tag = matchAt(dollarTag, text, at)
        return tag === null ? this.#take(at + 1) : this.#begin(until(tag, '$'), at + tag.length)
      }
      case '(':
      case ')':
        this.#nesting.take(character)
        this.#parentheses = Math.max(0, this.#parentheses + (character === '(' ? 1 : -1))
        return this.#take(at + 1)
      case ';':
        this.#take(at + 1)
        return this.#nesting.atTop ? this.#complete() : null
      case ':':
        return this.#colon()
      case '\\':
        return this.#backslash()
      default:
        return this.#take(at + 1)
    }
  }

  /** Takes the text up to a position into the query, unless it is empty space or a comment before it. */
  #take(end: number, isNothing = false): null {
    const text = this.#input.slice(this.#position, end)
    this.#position = end
    if (!isNothing || this.#query !== '') this.#query += text
    return null
  }

  #begin(open: OpenToken, end: number): null {
    this.#open = open
    return this.#take(end, open.isComment === true)
  }

  #complete(): Scanned | null {
    const text = this.#query
    this.query = ''
    return text === ';' ? null : { kind: 'query', text }
  }

  #colon(): null {
    const text = this.#input
    const at = this.#position
    if (/^:[:=]/.test(text.slice(at, at + 2))) return this.#take(at + 2)
    const reference = referenceAt(text, at)
    if (reference === null) return this.#take(at + 1)
    const { name, form, end } = reference
    const left = text.length - at
    this.#expanding = this.#expanding.filter(({ after }) => after < left)
    // A variable in its own value stays as it is.
    if (this.#expanding.some((one) => one.name === name)) {
      this.#complain(`skipping recursive expansion of variable "${name}"`)
      return this.#take(end)
    }
    const value = resolve(reference, this.#lookUp, {
      literal: escapeLiteral,
      identifier: escapeIdentifier,
    })
    if (value === null) return this.#take(end)
    this.#position = end
    if (form === 'value') {
      this.#expanding.push({ name, after: text.length - end })
      this.add(value)
    } else this.#query += value
    return null
  }

  #backslash(): Scanned | null {
    const text = this.#input
    const at = this.#position
    const next = text[at + 1]
    if (next === ';' || next === ':') {
      this.#position += 1
      return this.#take(at + 2)
    }
    const end = lineEnd(text, at)
    this.#position = end
    return { kind: 'command', text: text.slice(at, end) }
  }
}

const space = /\s+/y
const word = /[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_$\u0080-\u{10FFFF}]*/uy
const dollarTag = /\$(?:[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_\u0080-\u{10FFFF}]*)?\$/uy

function matchAt(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? null
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function until(mark: string, kind: Unfinished): OpenToken {
  return {
    kind,
    end: (text, from) => {
      const found = text.indexOf(mark, from)
      return found === -1 ? null : found + mark.length
    },
  }
}

/** `E'…'`, in which a backslash takes its meaning from the next character. */
const escapedString: OpenToken = {
  kind: "'",
  end: (text, from) => {
    for (let at = from; at < text.length; at += text[at] === '\\' ? 2 : 1) {
      if (text[at] === "'") return at + 1
    }
    return null
  },
}

/** A comment, which may have others in it. */
function blockComment(): OpenToken {
  let depth = 1
  return {
    kind: '*',
    isComment: true,
    end: (text, from) => {
      const edge = /\/\*|\*\//g
      edge.lastIndex = from
      for (let found = edge.exec(text); found !== null; found = edge.exec(text)) {
        depth += found[0] === '/*' ? 1 : -1
        if (depth === 0) return edge.lastIndex
      }
      return null
    },
  }
}
