/** Somebody who holds or uses something, as words. */
export function nameOfUser({
  pid,
  command,
}: {
  readonly pid: number
  readonly command: string | null
}): string {
  return command === null ? `pid ${pid}` : `pid ${pid} (${command})`
}
