import type { Output } from '@howdah/terminal'
import { nameOfUser } from '../output/name-of-user.ts'

/** The time in ms before a wait is reported. */
const wordless = 1000

/** A wait for other processes. */
interface Wait {
  readonly holders: readonly Parameters<typeof nameOfUser>[0][]
  readonly what?: string | undefined
  readonly over: AbortSignal
}

/**
 * Gives a callback that says for which processes we wait: on a terminal at once and until the wait is over, otherwise in a
 * message if the wait takes longer. `purpose` completes "waiting for others …".
 */
export function tellWaits(output: Output, purpose: string): (wait: Wait) => void {
  return ({ holders, what, over }) => {
    const { progress } = output
    const names = holders.map(nameOfUser).join(', ')
    const waiting = `waiting for ${what ?? `${names === '' ? 'others' : names} ${purpose}`}`
    const before = progress.text
    progress.show(waiting)
    const timer = setTimeout(() => output.message(`howdah: ${waiting}`), wordless)
    timer.unref()
    over.addEventListener('abort', () => {
      clearTimeout(timer)
      if (progress.text !== waiting) return
      if (before === null) progress.clear()
      else progress.show(before)
    })
  }
}
