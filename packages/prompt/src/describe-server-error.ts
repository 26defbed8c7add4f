import { placeIn } from '@howdah/dump'

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

function place(statement: string, position: number): string[] {
  const { text, line, column } = placeIn(statement, position)
  const label = `LINE ${line}: `
  return [`${label}${text}`, `${' '.repeat(label.length + column)}^`]
}
