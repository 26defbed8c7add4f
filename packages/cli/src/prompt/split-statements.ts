/** One SQL statement. */
export interface Statement {
  /** Without the semicolon, and without what stands before its first word. */
  readonly text: string
  /** Where its first word is; 1 is the first line of what was split. */
  readonly line: number
  /** Where what follows it begins, in characters. */
  readonly end: number
}

/** What {@link splitStatements} finds. */
export interface Split {
  /** Those that are complete, without empty ones. */
  readonly statements: readonly Statement[]
  /** The statement that goes on at the end; `null` if there is nothing but space and comments. */
  readonly unfinished: Statement | null
  /** All after the last semicolon: what to put in front of what comes next. */
  readonly rest: string
}

/**
 * Splits SQL at the semicolons that end statements.
 *
 * Those within `'…'`, `"…"`, `E'…\'…'`, `$tag$…$tag$`, comments (which nest), parentheses and the `BEGIN ATOMIC … END` of
 * a function's body do not count. Strings are taken to be standard ones (`standard_conforming_strings`).
 *
 * Source: "Lexical Structure" in PostgreSQL's manual, and psql's scanner.
 */
export function splitStatements(sql: string): Split {
  const statements: Statement[] = []
  const lines = new LineCounter(sql)
  let begin = 0
  let nesting = new Nesting()
  let first: number | null = null
  const taken = (until: number, end: number): Statement | null =>
    first === null ? null : { text: sql.slice(first, until).trimEnd(), line: lines.at(first), end }

  for (let position = 0; position < sql.length;) {
    const end = tokenEnd(sql, position)
    const text = sql.slice(position, Math.min(end, position + 16))
    if (text === ';' && nesting.atTop) {
      const statement = taken(position, end)
      if (statement !== null) statements.push(statement)
      first = null
      nesting = new Nesting()
      begin = end
    } else if (!/^(?:\s|--|\/\*)/.test(text)) {
      first ??= position
      nesting.take(text)
    }
    position = end
  }
  return { statements, unfinished: taken(sql.length, sql.length), rest: sql.slice(begin) }
}

const space = /\s+/y
const word = /[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_$\u0080-\u{10FFFF}]*/uy
const dollarTag = /\$(?:[A-Za-z_\u0080-\u{10FFFF}][A-Za-z0-9_\u0080-\u{10FFFF}]*)?\$/uy

/** Where the token that begins at a position ends; one that is not closed extends to the end of all. */
function tokenEnd(sql: string, position: number): number {
  switch (sql.charAt(position)) {
    case "'":
    case '"':
      return after(sql, sql.charAt(position), position + 1)
    case '-':
      return sql[position + 1] === '-' ? after(sql, '\n', position) : position + 1
    case '/':
      return sql[position + 1] === '*' ? commentEnd(sql, position) : position + 1
    case '$': {
      const tag = matchAt(dollarTag, sql, position)
      return tag === null ? position + 1 : after(sql, tag, position + tag.length)
    }
    default: {
      const text = matchAt(space, sql, position) ?? matchAt(word, sql, position) ?? '.'
      const end = position + text.length
      return /^e$/i.test(text) && sql[end] === "'" ? escapedStringEnd(sql, end + 1) : end
    }
  }
}

function after(sql: string, what: string, from: number): number {
  const found = sql.indexOf(what, from)
  return found === -1 ? sql.length : found + what.length
}

function matchAt(pattern: RegExp, sql: string, position: number): string | null {
  pattern.lastIndex = position
  return pattern.exec(sql)?.[0] ?? null
}

function commentEnd(sql: string, from: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = from
  let depth = 0
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return sql.length
}

function escapedStringEnd(sql: string, from: number): number {
  for (let position = from; position < sql.length; position++) {
    if (sql[position] === '\\') position++
    else if (sql[position] === "'") return position + 1
  }
  return sql.length
}

/** What is open within one statement, so that a semicolon does not end it. */
class Nesting {
  #parentheses = 0
  /** `BEGIN` and `CASE` without their `END`, in the body of a function. */
  #blocks = 0
  /** The first words, by which such a function is known. */
  #opening = ''

  get atTop(): boolean {
    return this.#parentheses <= 0 && this.#blocks === 0
  }

  take(token: string): void {
    if (token === '(') this.#parentheses++
    else if (token === ')') this.#parentheses--
    else if (/^[A-Za-z]/.test(token)) this.#takeWord(token.toLowerCase())
  }

  #takeWord(text: string): void {
    if (this.#opening.length < 40) this.#opening += `${text} `
    if (
      !/^create (?:or replace )?(?:function|procedure) /.test(this.#opening) ||
      this.#parentheses > 0
    )
      return
    if (text === 'begin' || (text === 'case' && this.#blocks > 0)) this.#blocks++
    else if (text === 'end' && this.#blocks > 0) this.#blocks--
  }
}

/** Tells lines of positions that only ever grow. */
class LineCounter {
  readonly #text: string
  #position = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  at(position: number): number {
    for (let next = this.#text.indexOf('\n', this.#position); next !== -1 && next < position;) {
      this.#line++
      this.#position = next + 1
      next = this.#text.indexOf('\n', this.#position)
    }
    return this.#line
  }
}
