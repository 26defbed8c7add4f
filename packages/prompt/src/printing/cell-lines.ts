import { eastAsianWidth } from 'get-east-asian-width'

/** A line of a cell. */
export interface CellLine {
  readonly text: string
  /** In columns of a terminal. */
  readonly width: number
}

/** Splits a value into lines, and makes control characters visible, which a terminal would obey. */
export function cellLines(value: string): CellLine[] {
  if (isPlain.test(value)) return [{ text: value, width: value.length }]
  return value.split('\n').map(cellLine)
}

/** The number of columns that a text takes on a terminal. Control characters take none. */
export function widthOf(text: string): number {
  if (isPlain.test(text)) return text.length
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

const isPlain = /^[ -~]*$/
const isControl = /^\p{Cc}$/u
/** Combining marks, and characters that only format. */
const isWithoutWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u

function cellLine(text: string): CellLine {
  if (isPlain.test(text)) return { text, width: text.length }
  let shown = ''
  let width = 0
  for (const character of text) {
    const visible = isControl.test(character) ? visibleControl(character, width) : null
    shown += visible ?? character
    width += visible?.length ?? widthOfCharacter(character)
  }
  return { text: shown, width }
}

/** Shows a control character as psql does. A tab goes on to the next multiple of 8 columns. */
function visibleControl(character: string, column: number): string {
  if (character === '\r') return String.raw`\r`
  if (character === '\t') return ' '.repeat(8 - (column % 8))
  const code = character.charCodeAt(0).toString(16).toUpperCase()
  return code.length > 2 || character > '\u007F'
    ? String.raw`\u${code.padStart(4, '0')}`
    : String.raw`\x${code.padStart(2, '0')}`
}

function widthOfCharacter(character: string): number {
  if (isControl.test(character) || isWithoutWidth.test(character)) return 0
  return eastAsianWidth(character.codePointAt(0) ?? 0)
}
