import type { Io } from './io.ts'
import { Progress } from './progress.ts'

/** What a command says: results on stdout, messages and progress on stderr. */
export class Output {
  readonly progress: Progress
  readonly #io: Io
  readonly #quiet: boolean
  readonly #onClosed: () => void
  #listening = false
  #closed = false

  /** `onClosed` is called when the reader of stdout has gone away. */
  constructor(io: Io, options: { quiet: boolean; onClosed: () => void }) {
    this.#io = io
    this.#quiet = options.quiet
    this.#onClosed = options.onClosed
    this.progress = new Progress(io, !options.quiet)
  }

  /** Whether the reader of stdout has gone away before it had all. */
  get closed(): boolean {
    return this.#closed
  }

  /** Writes a result to stdout, as it is. Resolves when there is room for more. */
  async write(text: string | Buffer): Promise<void> {
    this.progress.clear()
    const { stdout } = this.#io
    if (!this.#listening) stdout.on('error', this.#onError)
    this.#listening = true
    if (stdout.write(text) || stdout.destroyed) return
    await new Promise<void>((done) => {
      const go = () => {
        for (const event of ['drain', 'close', 'error']) stdout.off(event, go)
        done()
      }
      for (const event of ['drain', 'close', 'error']) stdout.once(event, go)
    })
  }

  /** Writes one line of a result to stdout. */
  async line(text: string): Promise<void> {
    await this.write(`${text}\n`)
  }

  /** Writes a result as JSON to stdout. */
  async json(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value, null, 2))
  }

  /** Says something on stderr, unless it is to be quiet. */
  message(text: string): void {
    if (!this.#quiet) this.complain(text)
  }

  /** Says something on stderr even when it is to be quiet. */
  complain(text: string): void {
    this.progress.clear()
    this.#io.stderr.write(`${text}\n`)
  }

  /** Resolves when all that was written has gone out, and lets go of the streams. */
  async close(): Promise<void> {
    this.progress.clear()
    if (!this.#listening) return
    const { stdout } = this.#io
    if (!stdout.destroyed) await new Promise<void>((done) => stdout.write('', () => done()))
    // An error is only told after the write that it is about.
    await new Promise((done) => setImmediate(done))
    stdout.off('error', this.#onError)
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') this.complain(`howdah: cannot write the result: ${error.message}`)
    this.#closed = true
    this.#onClosed()
  }
}
