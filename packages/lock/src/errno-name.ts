import { constants } from 'node:os'

/** The name of an error's number, such as `ENOENT` for 2; the number itself if it has none. */
export function errnoName(number: number): string {
  return names.get(number) ?? String(number)
}

/** Made from Node's table, because libuv's lacks some names, such as ENOLCK. */
const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
