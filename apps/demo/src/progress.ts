import { SingleBar } from 'cli-progress'

/** Shows a bar on a terminal; otherwise prints a line from time to time. */
export class Progress {
  readonly #total: number
  readonly #bar: SingleBar | null
  #tenth = 0

  constructor(total: number) {
    this.#total = total
    this.#bar = process.stdout.isTTY
      ? new SingleBar({ format: '{bar} {value} of {total} jobs', hideCursor: true })
      : null
    this.#bar?.start(total, 0)
  }

  at(done: number): void {
    this.#bar?.update(done)
    if (this.#bar !== null || Math.floor((done * 10) / this.#total) === this.#tenth) return
    this.#tenth = Math.floor((done * 10) / this.#total)
    console.log(`${done} of ${this.#total} jobs done`)
  }

  /** Prints a message above the bar. */
  say(message: string): void {
    if (this.#bar !== null) process.stdout.write('\r\u001B[K')
    console.log(message)
    this.#bar?.render()
  }

  end(): void {
    this.#bar?.stop()
  }
}
