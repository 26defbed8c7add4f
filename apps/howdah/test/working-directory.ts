import { temporaryDirectory } from '@howdah/fixtures'
import { type Result, type Running, start } from './project.ts'

/** A directory in which a command of howdah runs. At the end no process of it is left. */
export class WorkingDirectory implements AsyncDisposable {
  readonly #command: string
  readonly #directory: ReturnType<typeof temporaryDirectory>
  readonly #running: Running[] = []

  constructor(command: string) {
    this.#command = command
    this.#directory = temporaryDirectory({ prefix: `howdah-${command}-` })
  }

  file(name: string): string {
    return this.#directory.file(name)
  }

  start(...args: readonly string[]): Running {
    const running = start(this.#directory.path, [this.#command, ...args])
    this.#running.push(running)
    return running
  }

  async run(...args: readonly string[]): Promise<Result> {
    return await this.start(...args).result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    }
    // Their streams are closed when the commands that they have started have ended, too.
    await Promise.all(this.#running.map(({ result }) => result))
    this.#directory[Symbol.dispose]()
  }
}
