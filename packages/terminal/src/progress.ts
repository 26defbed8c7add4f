import type { ProcessIo } from './process-io.ts'

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
/** In ms. */
const interval = 80
/** Work that ends within so many ms is not shown. */
const delay = 200

/**
 * A line with a spinner on a terminal that says what is being done. It shows nothing if stderr is not a terminal.
 *
 * We do not use a package for it, because such packages end the process themselves on Ctrl-C.
 */
export class Progress implements Disposable {
  readonly #io: Pick<ProcessIo, 'stderr' | 'env'>
  readonly #wanted: boolean
  #timer: NodeJS.Timeout | null = null
  #text: string | null = null
  #frame = 0
  #drawn = false

  constructor(io: Pick<ProcessIo, 'stderr' | 'env'>, wanted: boolean) {
    this.#io = io
    this.#wanted = wanted
  }

  /** The text that is shown, or will be in a moment; `null` if nothing is shown. */
  get text(): string | null {
    return this.#text
  }

  /** Shows a text from now on. */
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

  /** Removes the line. */
  clear(): void {
    // Timers of either kind are cleared alike.
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#text = null
    if (this.#drawn) this.#io.stderr.write('\r\u001B[K')
    this.#drawn = false
  }

  /** Clears the line, as {@link clear} does. */
  [Symbol.dispose](): void {
    this.clear()
  }

  #draw(): void {
    const { stderr } = this.#io
    this.#drawn = true
    this.#frame = (this.#frame + 1) % frames.length
    const width = Math.max(10, (stderr.columns || 80) - 4)
    stderr.write(`\r\u001B[K${frames[this.#frame]} ${this.#text?.slice(0, width)}`)
  }
}
