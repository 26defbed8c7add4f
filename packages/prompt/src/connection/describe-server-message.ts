import { widthOf } from '../printing/cell-lines.ts'

/** The fields of an error or a notice of PostgreSQL; see "Error and Notice Message Fields" in its manual. */
export interface ServerMessage {
  readonly severity?: string | undefined
  readonly message?: string | undefined
  readonly code?: string | undefined
  readonly position?: string | undefined
  readonly internalPosition?: string | undefined
  readonly internalQuery?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly where?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly dataType?: string | undefined
  readonly constraint?: string | undefined
  readonly file?: string | undefined
  readonly line?: string | undefined
  readonly routine?: string | undefined
}

/** How much of a message is printed: psql's VERBOSITY and SHOW_CONTEXT. */
export interface Verbosity {
  readonly verbosity: 'default' | 'terse' | 'verbose' | 'sqlstate'
  readonly context: 'errors' | 'never' | 'always'
}

const usual: Verbosity = { verbosity: 'default', context: 'errors' }

/** Formats a server's error or notice as psql does, with the line of the statement and a mark below the place. */
export function describeServerMessage(
  message: ServerMessage,
  statement: string,
  { verbosity, context }: Verbosity = usual,
): string {
  const { severity = 'ERROR', code, position, internalQuery, internalPosition, where } = message
  if (verbosity === 'sqlstate' && code !== undefined) return `${severity}:  ${code}`
  const place = position ?? internalPosition
  const query = position === undefined ? internalQuery : statement
  const words = message.message ?? ''
  const first = `${severity}:  ${verbosity === 'verbose' && code !== undefined ? `${code}: ` : ''}${words}`
  if (verbosity === 'terse') return place === undefined ? first : `${first} at character ${place}`
  const isError = !/^(?:NOTICE|DEBUG|INFO|LOG|WARNING)/.test(severity)
  const showsContext = context === 'always' || (context === 'errors' && isError)
  const more: readonly [string, string | undefined][] = [
    ['DETAIL', message.detail],
    ['HINT', message.hint],
    ['QUERY', internalQuery],
    ['CONTEXT', showsContext ? where : undefined],
    ...(verbosity === 'verbose' ? origin(message) : []),
  ]
  return [
    first,
    ...(place === undefined || query === undefined || query === ''
      ? []
      : markedLine(query, Number(place))),
    ...more.flatMap(([label, text]) => (text === undefined ? [] : [`${label}:  ${text}`])),
  ].join('\n')
}

function origin(message: ServerMessage): [string, string | undefined][] {
  const { file, line, routine } = message
  return [
    ['SCHEMA NAME', message.schema],
    ['TABLE NAME', message.table],
    ['COLUMN NAME', message.column],
    ['DATATYPE NAME', message.dataType],
    ['CONSTRAINT NAME', message.constraint],
    ['LOCATION', file === undefined ? undefined : `${routine ?? ''}, ${file}:${line ?? ''}`],
  ]
}

/** The largest width of the part of a line that is shown, and how much of it is shown after the place. */
const widest = 60
const rightOfPlace = 10

/**
 * The line of a statement with the place that a server's error names, which counts characters from 1, and a mark below it.
 * Of a long line, the part around the place is shown.
 */
function markedLine(statement: string, position: number): string[] {
  const characters = Array.from(statement.replaceAll('\t', ' '))
  const place = Math.min(position - 1, characters.length)
  const begin = characters.lastIndexOf('\n', place - 1) + 1
  const lineEnd = characters.indexOf('\n', place)
  const end = lineEnd === -1 ? characters.length : lineEnd
  const line = characters.slice(0, begin).filter((one) => one === '\n').length + 1
  const shown = cutAround(characters.slice(begin, end), place - begin)
  const label = `LINE ${line}: ${shown.before}`
  const offset = label.length + shown.offset
  return [`${label}${shown.text}${shown.after}`, `${' '.repeat(offset)}^`]
}

interface Shown {
  readonly before: string
  readonly text: string
  readonly after: string
  /** The width of the text before the place. */
  readonly offset: number
}

function cutAround(line: readonly string[], place: number): Shown {
  const widthBetween = (from: number, to: number) => widthOf(line.slice(from, to).join(''))
  let begin = 0
  let end = line.length
  if (widthBetween(0, end) > widest) {
    if (widest >= widthBetween(0, place) + rightOfPlace) {
      while (widthBetween(begin, end) > widest) end -= 1
    } else {
      while (widthBetween(0, place) + rightOfPlace < widthBetween(0, end)) end -= 1
      while (widthBetween(begin, end) > widest) begin += 1
    }
  }
  return {
    before: begin > 0 ? '...' : '',
    text: line.slice(begin, end).join(''),
    after: end < line.length ? '...' : '',
    offset: widthBetween(begin, place),
  }
}
