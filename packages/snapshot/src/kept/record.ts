import { createHash, randomBytes } from 'node:crypto'

const prefixes = {
  /** Dropped or replaced, and kept for a while. */
  saved: 'howdah-saved-',
  snapshot: 'howdah-snapshot-',
  /** A copy that is being made, or that is about to be dropped. */
  unfinished: 'howdah-unfinished-',
} as const

export type Kind = keyof typeof prefixes

/** Whether a database is one of howdah's own: saved, a snapshot, or unfinished. */
export function isOfHowdah(name: string): boolean {
  return Object.values(prefixes).some((prefix) => name.startsWith(prefix))
}

/** The name of a saved or unfinished database, at most 63 bytes long. */
export function nameOf(kind: Kind, id: string): string {
  return `${prefixes[kind]}${id}`
}

/** The pattern for `LIKE`, in which `_` and `%` have a meaning. */
export function patternOf(kind: Kind): string {
  return `${prefixes[kind]}%`
}

/** The id in a name. */
export function idOf(kind: Kind, name: string): string {
  return name.slice(prefixes[kind].length)
}

/**
 * The database of a snapshot. Its name comes from the names of the snapshot and of the database, so that PostgreSQL refuses
 * a second one.
 */
export function databaseOfSnapshot(database: string, name: string): string {
  const key = createHash('sha256')
    .update(JSON.stringify([database, name]))
    .digest('hex')
  return nameOf('snapshot', key.slice(0, 40))
}

/** A new id: the time in UTC, and random digits, because several may be made in the same second. */
export function newId(at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')
  return `${time}-${randomBytes(2).toString('hex')}`
}

/**
 * A record for the comment of a database. It is plain ASCII, because comments of databases have the encoding of the database
 * from which they are made.
 */
export function toComment(record: object): string {
  return JSON.stringify(record).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The record in a comment; `null` if there is none. */
export function readComment(comment: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const record: unknown = JSON.parse(comment ?? '')
    return typeof record === 'object' && record !== null
      ? (record as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

/** The time in a record; `null` if it is no time. */
export function timeIn(record: Readonly<Record<string, unknown>> | null): Date | null {
  const at = new Date(String(record?.['at']))
  return Number.isNaN(at.getTime()) ? null : at
}
