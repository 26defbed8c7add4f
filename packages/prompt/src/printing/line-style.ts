import type { PrintOptions } from './print-options.ts'

/** The parts of a horizontal rule. */
interface Rule {
  readonly line: string
  readonly left: string
  readonly middle: string
  readonly right: string
}

/** The characters of which borders consist. */
export interface LineStyle {
  readonly top: Rule
  readonly below: Rule
  readonly bottom: Rule
  /** Between columns. */
  readonly column: string
  /** At the end of a line whose cell goes on below. */
  readonly newline: string
}

const asciiRule = { line: '-', left: '+', middle: '+', right: '+' }

const styles: Readonly<Record<PrintOptions['lineStyle'], LineStyle>> = {
  ascii: { top: asciiRule, below: asciiRule, bottom: asciiRule, column: '|', newline: '+' },
  unicode: {
    top: { line: '─', left: '┌', middle: '┬', right: '┐' },
    below: { line: '─', left: '├', middle: '┼', right: '┤' },
    bottom: { line: '─', left: '└', middle: '┴', right: '┘' },
    column: '│',
    newline: '↵',
  },
}

export function lineStyleOf({ lineStyle }: PrintOptions): LineStyle {
  return styles[lineStyle]
}
