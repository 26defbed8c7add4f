import { ShellError } from '../errors.ts'

/** A `\copy`, taken apart. */
export interface CopyStatement {
  /** The table or the query. */
  readonly what: string
  readonly direction: 'from' | 'to'
  readonly other:
    | { readonly kind: 'file' | 'program'; readonly name: string }
    | { readonly kind: 'stdin' | 'stdout' | 'pstdin' | 'pstdout' }
  /** What follows: `WITH (FORMAT csv)`. */
  readonly options: string
}

/** Takes the arguments of `\copy` apart. Throws if they are none. */
export function readCopyStatement(line: string): CopyStatement {
  if (line === '') throw new ShellError(String.raw`\copy: arguments required`)
  const direction = findDirection(line)
  if (direction === null) throw parseError('end of line')
  const { at, word } = direction
  const what = line.slice(0, at).trim()
  if (what === '') throw parseError(word)
  const rest = line.slice(at + word.length).trim()
  const isFrom = word.toLowerCase() === 'from'
  const [, program, programOptions] = /^program\s+'((?:[^']|'')*)'\s*([^]*)$/i.exec(rest) ?? []
  if (program !== undefined)
    return {
      what,
      direction: isFrom ? 'from' : 'to',
      other: { kind: 'program', name: program.replaceAll("''", "'") },
      options: withoutEnd(programOptions),
    }
  const [, quoted, plain, options] = /^(?:'((?:[^']|'')*)'|([^\s;]+))\s*([^]*)$/.exec(rest) ?? []
  const name = quoted?.replaceAll("''", "'") ?? plain
  if (name === undefined) throw parseError('end of line')
  const stream = quoted === undefined ? streamOf(name, isFrom) : null
  return {
    what,
    direction: isFrom ? 'from' : 'to',
    other: stream === null ? { kind: 'file', name } : { kind: stream },
    options: withoutEnd(options),
  }
}

function streamOf(name: string, isFrom: boolean): 'stdin' | 'stdout' | 'pstdin' | 'pstdout' | null {
  switch (name.toLowerCase()) {
    case 'stdin':
    case 'stdout':
      // Either name is taken for either direction.
      return isFrom ? 'stdin' : 'stdout'
    case 'pstdin':
    case 'pstdout':
      return isFrom ? 'pstdin' : 'pstdout'
    default:
      return null
  }
}

function withoutEnd(options: string | undefined): string {
  return (options ?? '').replace(/[\s;]+$/, '')
}

/** The first FROM or TO outside of quotes and parentheses. */
function findDirection(line: string): { at: number; word: string } | null {
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|\b(?:from|to)\b|[\p{L}\p{N}_$]+|[^]/giu
  let depth = 0
  for (let found = token.exec(line); found !== null; found = token.exec(line)) {
    const [text] = found
    if (text === '(') depth += 1
    else if (text === ')') depth -= 1
    else if (depth === 0 && /^(?:from|to)$/i.test(text)) return { at: found.index, word: text }
  }
  return null
}

function parseError(at: string): ShellError {
  return new ShellError(
    String.raw`\copy: parse error at ` + (at === 'end of line' ? at : `"${at}"`),
  )
}
