/** The fields of an error of PostgreSQL; see "Error and Notice Message Fields" in its manual. */
interface ServerError {
  readonly severity?: string | undefined
  readonly message: string
  readonly position?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly where?: string | undefined
}

/** Formats a server's error as psql does, with the line of the statement and a mark below the place. */
export function describeServerError(error: ServerError, statement: string): string {
  const { severity = 'ERROR', message, position, detail, hint, where } = error
  return [
    `${severity}:  ${message}`,
    ...(position === undefined ? [] : place(statement, Number(position))),
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
    ...(where === undefined ? [] : [`CONTEXT:  ${where}`]),
  ].join('\n')
}

/** `position` counts characters, not UTF-16 units, from 1. */
function place(statement: string, position: number): string[] {
  const before = Array.from(statement)
    .slice(0, position - 1)
    .join('')
  const start = before.lastIndexOf('\n') + 1
  const line = statement.slice(start).split('\n', 1)[0] ?? ''
  const number = before.split('\n').length
  const label = `LINE ${number}: `
  return [
    `${label}${line.replaceAll('\t', ' ')}`,
    `${' '.repeat(label.length + before.length - start)}^`,
  ]
}
