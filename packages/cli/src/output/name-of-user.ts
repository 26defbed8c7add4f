import { onOneLine } from './on-one-line.ts'

/** Somebody who holds or uses something, as words on one line. */
export function nameOfUser({
  pid,
  command,
}: {
  readonly pid: number
  readonly command: string | null
}): string {
  // A script that was given to `sh -c` has lines.
  return command === null ? `pid ${pid}` : `pid ${pid} (${onOneLine(command)})`
}
