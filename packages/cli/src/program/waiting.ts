import { nameOfUser } from '../output/name-of-user.ts'
import type { Output } from '../output/output.ts'

/** In ms: waiting that is over sooner is not worth a word. */
const wordless = 1000

/** Tells who is waited for: at once on a terminal, and as a message if it takes longer. */
export class Waiting implements Disposable {
  readonly #output: Output
  readonly #purpose: string
  #timer: NodeJS.Timeout | undefined

  /** `purpose` completes "waiting for others …". */
  constructor(output: Output, purpose: string) {
    this.#output = output
    this.#purpose = purpose
  }

  /** To be told what is waited for. */
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

  /** It is over: no word of it any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
