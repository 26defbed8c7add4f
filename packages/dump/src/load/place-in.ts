/** A position in a statement. */
export interface Place {
  /** The whole line. */
  readonly text: string
  /** Its number, from 1. */
  readonly line: number
  /** The position in the line, in UTF-16 units from 0. */
  readonly column: number
}

/** The position that a server's error names. The server counts characters, not UTF-16 units, from 1. */
export function placeIn(statement: string, position: number): Place {
  const before = Array.from(statement)
    .slice(0, position - 1)
    .join('')
  const start = before.lastIndexOf('\n') + 1
  return {
    text: (statement.slice(start).split('\n', 1)[0] ?? '').replaceAll('\t', ' '),
    line: before.split('\n').length,
    column: before.length - start,
  }
}
