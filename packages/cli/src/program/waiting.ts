import type { Output } from '@howdah/terminal'
import { nameOfUser } from '../output/name-of-user.ts'

/** The time in ms before a wait is reported. */
const wordless = 1000

/** Says which processes we wait for: on a terminal at once, otherwise in a message if the wait takes longer. */
export class Waiting implements Disposable {
  readonly #output: Output
  readonly #purpose: string
  #timer: NodeJS.Timeout | undefined

  /** `purpose` completes "waiting for others …". */
  constructor(output: Output, purpose: string) {
    this.#output = output
    this.#purpose = purpose
  }

  /** Callback that receives what is waited for. */
  readonly onWait = (wait: {
    readonly holders: readonly Parameters<typeof nameOfUser>[0][]
    readonly what?: string | undefined
  }): void => {
    const holders = wait.holders.map(nameOfUser).join(', ')
    const others = `${holders === '' ? 'others' : holders} ${this.#purpose}`
    const what = `waiting for ${wait.what ?? others}`
    clearTimeout(this.#timer)
    this.#output.progress.show(what)
    this.#timer = setTimeout(() => this.#output.message(`howdah: ${what}`), wordless)
    this.#timer.unref()
  };

  /** Call this when the wait is over: nothing more is reported. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
