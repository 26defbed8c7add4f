import { StatementScanner } from '@howdah/dump'

/** One SQL statement. */
export interface Statement {
  /** Its text, from its first word on, without the semicolon. */
  readonly text: string
  /** The line of its first word; the first line of the SQL is 1. */
  readonly line: number
  /** The position after it, in characters. */
  readonly end: number
}

/** The result of {@link splitStatements}. */
export interface Split {
  /** The complete statements, without empty ones. */
  readonly statements: readonly Statement[]
  /** The incomplete statement at the end; `null` if only white space and comments are left. */
  readonly unfinished: Statement | null
  /** All text after the last semicolon, to be put before the next input. */
  readonly rest: string
}

/** Splits SQL at the semicolons that end statements, which `StatementScanner` finds. */
export function splitStatements(sql: string): Split {
  const scanner = new StatementScanner({ commands: false })
  scanner.add(sql)
  const statements: Statement[] = []
  let begin = 0
  for (let one = scanner.next(); one !== null; one = scanner.next()) {
    begin = scanner.position
    statements.push({ text: one.text, line: one.line, end: begin })
  }
  const { unfinished } = scanner
  return {
    statements,
    unfinished: unfinished && { ...unfinished, end: sql.length },
    rest: sql.slice(begin),
  }
}
