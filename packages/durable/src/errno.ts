import { constants } from 'node:os'

/** The code of a system error, such as `ENOENT`; an empty string where there is none. */
export function errno(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** The name of an error's number, such as `ENOENT` for 2; the number itself if it has none. */
export function errnoName(number: number): string {
  return names.get(number) ?? String(number)
}

/** From Node's own table, since libuv's lacks some, ENOLCK among them. */
const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
