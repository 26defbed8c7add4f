import type { EventEmitter } from 'node:events'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import type { ProcessIo } from './process-io.ts'
import { Progress } from './progress.ts'

/** The status that SIGPIPE would give; Node ignores that signal. */
const brokenPipe = statusOfSignal('SIGPIPE')

/** How a program writes. */
export interface OutputOptions {
  /** The name of the program, with which a message about the output itself begins. */
  readonly program: string
  /** Leaves out messages and progress; `false` by default. */
  readonly quiet?: boolean | undefined
  /** Called once, with the exit status, if a result cannot be written. */
  onFailure(status: number): void
}

type Streams = Pick<ProcessIo, 'stdout' | 'stderr' | 'env'>

/**
 * The output of a program: results on stdout, messages and progress on stderr.
 *
 * If a result cannot be written, the program is told to end. If a message cannot be written, this is ignored.
 */
export class Output {
  readonly progress: Progress
  readonly #io: Streams
  readonly #options: OutputOptions
  readonly #guarded = new Set<EventEmitter>()
  #failure: number | null = null

  constructor(io: Streams, options: OutputOptions) {
    this.#io = io
    this.#options = options
    const stderr = () => this.#stderr
    this.progress = new Progress(
      {
        env: io.env,
        get stderr() {
          return stderr()
        },
      },
      options.quiet !== true,
    )
  }

  /** The exit status of a program that ended with `status`, or another one if its result could not be written. */
  statusAfter(status: number): number {
    return status === exitStatus.done ? (this.#failure ?? status) : status
  }

  /** Writes a result to stdout unchanged. Resolves when there is room for more. */
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

  /** Prints a message on stderr, unless the output is quiet. */
  message(text: string): void {
    if (this.#options.quiet !== true) this.complain(text)
  }

  /** Prints a message on stderr, even if the output is quiet. */
  complain(text: string): void {
    this.progress.clear()
    this.#stderr.write(`${text}\n`)
  }

  /** Resolves when everything is written, and removes the listeners from the streams. */
  async close(): Promise<void> {
    this.progress.clear()
    if (this.#guarded.size === 0) return
    const { stdout } = this.#io
    if (this.#guarded.has(stdout) && !stdout.destroyed)
      await new Promise<void>((done) => stdout.write('', () => done()))
    // An error is reported only after its write.
    await new Promise((done) => setImmediate(done))
    for (const stream of this.#guarded) stream.off('error', this.#listener(stream))
    this.#guarded.clear()
  }

  get #stderr(): ProcessIo['stderr'] {
    const { stderr } = this.#io
    this.#guard(stderr)
    return stderr
  }

  /** Adds an error listener. Without one, a stream that cannot be written would end the whole process. */
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
      this.complain(
        `${this.#options.program}: cannot write the result: ${error.message}; have it go elsewhere`,
      )
    this.#options.onFailure(this.#failure)
  }
}

/** A lost message is not reported: the report would go to the same stream. */
function ignore(): void {}
