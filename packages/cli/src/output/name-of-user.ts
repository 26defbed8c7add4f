import { onOneLine } from '@howdah/terminal'

/** Describes a process that holds or uses something, on one line. */
export function nameOfUser({
  pid,
  command,
}: {
  readonly pid: number
  readonly command: string | null
}): string {
  // A script of `sh -c` may have several lines.
  return command === null ? `pid ${pid}` : `pid ${pid} (${onOneLine(command)})`
}
