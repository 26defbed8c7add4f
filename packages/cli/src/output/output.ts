import type { EventEmitter } from 'node:events'
import { exitStatus, statusOfSignal } from '../exit-status.ts'
import type { Io } from '../io.ts'
import { Progress } from './progress.ts'

/** What SIGPIPE would have made of it, which Node ignores. */
const brokenPipe = statusOfSignal('SIGPIPE')

/**
 * What a command says: results on stdout, messages and progress on stderr.
 *
 * If a result cannot be written, the command ends. If a message cannot be written, nobody is there to be told.
 */
export class Output {
  readonly progress: Progress
  readonly #io: Io
  readonly #quiet: boolean
  readonly #onFailure: (status: number) => void
  readonly #guarded = new Set<EventEmitter>()
  #failure: number | null = null

  /** `onFailure` is called, once, when a result cannot be written, with the exit status that this means. */
  constructor(io: Io, options: { quiet: boolean; onFailure: (status: number) => void }) {
    this.#io = io
    this.#quiet = options.quiet
    this.#onFailure = options.onFailure
    const stderr = () => this.#stderr
    this.progress = new Progress(
      {
        env: io.env,
        get stderr() {
          return stderr()
        },
      },
      !options.quiet,
    )
  }

  /** The exit status of a command that has ended with `status`: another one if its result could not be written. */
  statusAfter(status: number): number {
    return status === exitStatus.done ? (this.#failure ?? status) : status
  }

  /** Writes a result to stdout, as it is. Resolves when there is room for more. */
  async write(text: string | Buffer): Promise<void> {
    this.progress.clear()
    if (this.#failure !== null) return
    const { stdout } = this.#io
    this.#guard(stdout)
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
    this.#stderr.write(`${text}\n`)
  }

  /** Resolves when all that was written has gone out, and lets go of the streams. */
  async close(): Promise<void> {
    this.progress.clear()
    if (this.#guarded.size === 0) return
    const { stdout } = this.#io
    if (this.#guarded.has(stdout) && !stdout.destroyed)
      await new Promise<void>((done) => stdout.write('', () => done()))
    // An error is only told after the write that it is about.
    await new Promise((done) => setImmediate(done))
    for (const stream of this.#guarded) stream.off('error', this.#listener(stream))
    this.#guarded.clear()
  }

  get #stderr(): Io['stderr'] {
    const { stderr } = this.#io
    this.#guard(stderr)
    return stderr
  }

  /** Without a listener, a stream that cannot be written would end the whole process. */
  #guard(stream: EventEmitter): void {
    if (this.#guarded.has(stream)) return
    stream.on('error', this.#listener(stream))
    this.#guarded.add(stream)
  }

  #listener(stream: EventEmitter): (error: NodeJS.ErrnoException) => void {
    return stream === this.#io.stdout ? this.#onError : ignore
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (this.#failure !== null) return
    this.#failure = error.code === 'EPIPE' ? brokenPipe : exitStatus.failed
    if (error.code !== 'EPIPE')
      this.complain(`howdah: cannot write the result: ${error.message}; have it go elsewhere`)
    this.#onFailure(this.#failure)
  }
}

/** A lost message is not reported: the report would go to the same stream. */
function ignore(): void {}
