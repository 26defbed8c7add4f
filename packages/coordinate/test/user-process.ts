import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Interface, createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('server/user.mjs', import.meta.url))

/** A process that joins a subject, connects to its server, and stays until it is told to leave or killed. */
export class UserProcess {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly ended: Promise<string>
  readonly #output: Interface

  /** `within` puts the command elsewhere: into a container. */
  constructor(
    directory: string,
    options: object = {},
    within = (command: string[]): string[] => command,
  ) {
    const [command = '', ...args] = within([
      process.execPath,
      program,
      directory,
      JSON.stringify(options),
    ])
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.child.stdout === null) throw new Error('no stdout')
    // A process that was killed cannot be told anything.
    this.child.stdin?.on('error', () => undefined)
    const output = createInterface({ input: this.child.stdout })
    output.on('line', (line) => this.lines.push(line))
    this.#output = output
    this.ended = Promise.all([once(this.child, 'exit'), once(output, 'close')]).then(() => {
      return String(this.child.signalCode ?? this.child.exitCode)
    })
  }

  /** Once it begins, if it was asked to tell. */
  async begun(): Promise<void> {
    await this.#said('begun')
  }

  /** Whether it has said that it has joined, or has started what is to stay. */
  get isDone(): boolean {
    return this.lines.some((line) => /^(joined|started) /.test(line))
  }

  /** `modified` or `unmodified`, once it has joined and is connected. Throws when it ends before that. */
  async joined(): Promise<string> {
    return this.#said('joined')
  }

  /** Has it leave, and waits for its answer and its end. */
  async leave(): Promise<string> {
    this.child.stdin?.write('leave\n')
    const answer = await this.#said('left')
    await this.ended
    return answer
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** Whether its connection was closed before it left. */
  get lost(): boolean {
    return this.lines.includes('lost')
  }

  async #said(word: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate.startsWith(`${word} `))
      if (line !== undefined) return line.slice(word.length + 1)
      const { exitCode, signalCode, pid } = this.child
      if (exitCode !== null || signalCode !== null) {
        throw new Error(
          `user ${pid} never ${word}: ${signalCode ?? exitCode} ${this.lines.join('\n')}`,
        )
      }
      await Promise.race([once(this.#output, 'line'), this.ended])
    }
  }
}
