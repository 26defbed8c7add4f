import type { Io } from '../io.ts'

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
/** In ms. */
const interval = 80
/** In ms: what is over sooner is not worth a word. */
const delay = 200

/**
 * One line on a terminal that says what is being done, with something that turns; nothing if stderr is none.
 *
 * It is of our own making because the packages that do this end the process themselves on Ctrl-C.
 */
export class Progress implements Disposable {
  readonly #io: Pick<Io, 'stderr' | 'env'>
  readonly #wanted: boolean
  #timer: NodeJS.Timeout | null = null
  #text = ''
  #frame = 0
  #drawn = false

  constructor(io: Pick<Io, 'stderr' | 'env'>, wanted: boolean) {
    this.#io = io
    this.#wanted = wanted
  }

  /** Shows what is being done from now on. */
  show(text: string): void {
    const { stderr, env } = this.#io
    if (!this.#wanted || stderr.isTTY !== true || env['TERM'] === 'dumb') return
    this.#text = text
    if (this.#drawn) this.#draw()
    if (this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#draw()
      this.#timer = setInterval(() => this.#draw(), interval)
      this.#timer.unref()
    }, delay)
    this.#timer.unref()
  }

  /** Takes the line away. */
  clear(): void {
    // Timers of either kind are cleared alike.
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#drawn) this.#io.stderr.write('\r\u001B[K')
    this.#drawn = false
  }

  [Symbol.dispose](): void {
    this.clear()
  }

  #draw(): void {
    const { stderr } = this.#io
    this.#drawn = true
    this.#frame = (this.#frame + 1) % frames.length
    const width = Math.max(10, (stderr.columns || 80) - 4)
    stderr.write(`\r\u001B[K${frames[this.#frame]} ${this.#text.slice(0, width)}`)
  }
}
