import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const writer = fileURLToPath(new URL('writer.mjs', import.meta.url))

/** A process of its own that writes into a replica. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  /** Everything that it said, once it has ended. */
  readonly output: Promise<string>
  readonly #ended: Promise<unknown>

  constructor(...args: readonly (string | number)[]) {
    this.process = spawn(process.execPath, [writer, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#ended = once(this.process, 'close')
    const { stdout } = this.process
    if (stdout === null) throw new Error('it has no standard output')
    this.output = text(stdout)
  }

  /** Kills it, at once. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#ended
  }

  /** Waits until it has ended by itself. */
  async success(): Promise<void> {
    await this.#ended
    const { exitCode, signalCode } = this.process
    if (exitCode !== 0) throw new Error(`it ended with ${signalCode ?? exitCode}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
