import { constants } from 'node:os'

/** The name of an error's number, such as `ENOENT` for 2; the number itself if it has none. */
export function errnoName(number: number): string {
  return names.get(number) ?? String(number)
}

/** From Node's own table, since libuv's lacks some, ENOLCK among them. */
const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
