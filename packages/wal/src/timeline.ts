import { type Lsn, parseLsn } from './wal-position.ts'

/** A part of a timeline's past: the timeline that was followed, and where it was left; the last is never left. */
export interface Stretch {
  readonly timeline: number
  readonly end: Lsn | null
}

/** On which timeline of a past a page was written that begins at a position. */
export function timelineAt(past: readonly Stretch[]): (lsn: Lsn) => number {
  return (lsn) => past.find(({ end }) => end === null || lsn < end)?.timeline ?? 0
}

/** The name of the file that tells a timeline's past. The first timeline has none. */
export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`
}

/** Which timeline's past a file of that name tells; `null` for any other name. */
export function parseHistoryName(name: string): number | null {
  const [, digits] = /^([\dA-F]{8})\.history$/.exec(name) ?? []
  return digits === undefined ? null : Number.parseInt(digits, 16)
}

/**
 * Reads the past of a timeline, oldest first, itself last. Throws for a text that is not one.
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
