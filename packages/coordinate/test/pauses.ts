import { childrenOf, commandLineOf } from '@howdah/fixtures'

/** Whether a shell has sleep(1) running, for so many seconds or for any time. */
export function isPausing(shell: number, seconds = ''): boolean {
  return childrenOf(shell).some((pid) => commandLineOf(pid).startsWith(`sleep\0${seconds}`))
}
