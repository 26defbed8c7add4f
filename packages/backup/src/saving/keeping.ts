import { randomBytes } from 'node:crypto'

/** In ms: for how long something that was saved is kept. */
const longest = 7 * 24 * 60 * 60 * 1000

/** In bytes: how much of it is kept together; the newest is kept in any case. */
export const mostBytes = 2 ** 30

/** A name for something that is saved: the time in UTC, and what tells it from others of the same second. */
export function newId(at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '')
  return `${time}-${randomBytes(2).toString('hex')}`
}

/** Whether it was saved too long ago to be kept. */
export function isOld(at: Date): boolean {
  return Date.now() - at.getTime() > longest
}
