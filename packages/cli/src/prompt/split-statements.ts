import { StatementScanner } from '@howdah/dump'

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

/** Splits SQL at the semicolons that end statements, as `StatementScanner` finds them. */
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
