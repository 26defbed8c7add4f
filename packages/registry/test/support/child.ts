import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of a test's own that runs `test/child/<name>.mjs` and talks in lines. Disposal kills it, and waits. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<string>
  readonly #lines: AsyncIterator<string>
  #errors = ''

  constructor(name: string, args: (string | number)[] = [], nodeOptions: string[] = []) {
    const script = fileURLToPath(new URL(`../child/${name}.mjs`, import.meta.url))
    this.process = spawn(process.execPath, [...nodeOptions, script, ...args.map(String)])
    this.ended = once(this.process, 'close').then(
      () => this.process.signalCode ?? `status ${this.process.exitCode}`,
    )
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]()
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.process.stdin!.on('error', () => undefined)
  }

  get pid(): number {
    return this.process.pid!
  }

  /** What it wrote on stderr until now. */
  get errors(): string {
    return this.#errors
  }

  /** Its next line. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`it ended with ${await this.ended}: ${this.#errors}`)
    return value
  }

  /** All its lines until it ends. */
  async lines(): Promise<string[]> {
    const lines: string[] = []
    for (let next = await this.#lines.next(); !next.done; next = await this.#lines.next())
      lines.push(next.value)
    return lines
  }

  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`)
  }

  /** Kills it with SIGKILL, and waits for its end. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
