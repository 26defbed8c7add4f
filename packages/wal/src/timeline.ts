import { type Lsn, parseLsn } from './wal-position.ts'

/**
 * A part of a timeline's past: a timeline, and the position at which it was left; `null` for the last one, which is never
 * left.
 */
export interface Stretch {
  readonly timeline: number
  readonly end: Lsn | null
}

/** Gives a function that tells on which timeline the page that begins at a position was written. */
export function timelineAt(past: readonly Stretch[]): (lsn: Lsn) => number {
  return (lsn) => past.find(({ end }) => end === null || lsn < end)?.timeline ?? 0
}

/** The name of the file with a timeline's past. The first timeline has none. */
export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`
}

/** The timeline of a history file with this name; `null` for any other name. */
export function parseHistoryName(name: string): number | null {
  const [, digits] = /^([\dA-F]{8})\.history$/.exec(name) ?? []
  return digits === undefined ? null : Number.parseInt(digits, 16)
}

/**
 * Parses the past of a timeline, from the oldest timeline to itself. Throws if the text is malformed.
 *
 * Source: `readTimeLineHistory` in PostgreSQL's `timeline.c`: a line is the parent, where it was left, and the reason.
 */
export function parseHistory(timeline: number, text: string): Stretch[] {
  const stretches = text
    .split('\n')
    .filter((line) => /^\s*[^#\s]/.test(line))
    .map((line): Stretch => {
      const [parent = '', position = ''] = line.trim().split(/\s+/)
      const end = parseLsn(position)
      if (!/^\d+$/.test(parent) || end === null) throw new Error(`it has the line "${line}"`)
      return { timeline: Number(parent), end }
    })
  return [...stretches, { timeline, end: null }]
}
