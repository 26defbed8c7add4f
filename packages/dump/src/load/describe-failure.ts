import type pg from 'pg'

/** The largest number of characters of a line that are shown. */
const widest = 100

/** Describes a server's error like a compiler: the place, the message, and the line with a mark below. */
export function describeFailure(
  error: Partial<pg.DatabaseError> & { readonly message: string },
  { name, statement, line }: { name: string; statement: string; line: number },
): { words: string; line: number } {
  const { message, position, detail, hint, where } = error
  const data = where === undefined ? null : /^COPY .*, line (\d+)/.exec(where)
  const at = position === undefined ? null : placeOf(statement, Number(position))
  // The first line of the data follows the statement.
  const ofData = data === null ? 0 : statement.split('\n').length + Number(data[1]) - 1
  const found = line + (at?.line ?? ofData)
  const words = [
    `${name}:${found}: ${message}`,
    ...(at === null ? [] : [at.text, `${' '.repeat(at.column)}^`]),
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ...(data === null || where === undefined ? [] : [`in: ${where.split('\n', 1)[0]}`]),
  ]
  return { words: words.join('\n'), line: found }
}

/** `position` counts characters, not UTF-16 units, from 1. */
function placeOf(
  statement: string,
  position: number,
): { text: string; line: number; column: number } {
  const before = Array.from(statement)
    .slice(0, position - 1)
    .join('')
  const start = before.lastIndexOf('\n') + 1
  const whole = (statement.slice(start).split('\n', 1)[0] ?? '').replaceAll('\t', ' ')
  const column = before.length - start
  const cut = Math.max(0, Math.min(column - widest / 2, whole.length - widest))
  return {
    text: whole.slice(cut, cut + widest),
    line: before.split('\n').length - 1,
    column: column - cut,
  }
}
