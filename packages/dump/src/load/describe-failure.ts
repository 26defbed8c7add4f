import type pg from 'pg'
import { type Place, placeIn } from './place-in.ts'

/** The largest number of characters of a line that are shown. */
const widest = 100

/** Describes a server's error like a compiler: the position, the message, and the line with a mark below. */
export function describeFailure(
  error: Partial<pg.DatabaseError> & { readonly message: string },
  { name, statement, line }: { name: string; statement: string; line: number },
): { words: string; line: number } {
  const { message, position, detail, hint, where } = error
  const data = where === undefined ? null : /^COPY .*, line (\d+)/.exec(where)
  const at = position === undefined ? null : placeIn(statement, Number(position))
  // The first line of the data follows the statement.
  const ofData = data === null ? 0 : statement.split('\n').length + Number(data[1]) - 1
  const found = line + (at === null ? ofData : at.line - 1)
  const shown = at === null ? null : cutAround(at)
  const words = [
    `${name}:${found}: ${message}`,
    ...(shown === null ? [] : [shown.text, `${' '.repeat(shown.column)}^`]),
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ...(data === null || where === undefined ? [] : [`in: ${where.split('\n', 1)[0]}`]),
  ]
  return { words: words.join('\n'), line: found }
}

/** The part of a long line around the position. */
function cutAround({ text, column }: Place): { text: string; column: number } {
  const cut = Math.max(0, Math.min(column - widest / 2, text.length - widest))
  return { text: text.slice(cut, cut + widest), column: column - cut }
}
