import { createInterface, type Interface } from 'node:readline'
import { interrupted, type LineSource } from '../scanning/line-source.ts'
import type { Unfinished } from '../scanning/query-scanner.ts'
import type { Shell, Terminal } from '../state/shell.ts'
import { Completion } from './completion.ts'
import type { History } from './history.ts'
import { promptText } from './prompt-text.ts'

/** Lines that somebody types, with editing, history and completion by Node's readline. */
export class LineEditor implements LineSource, Terminal {
  readonly name = null
  readonly directory = null
  readonly isInteractive = true
  readonly #shell: Shell
  readonly #history: History
  readonly #completion: Completion
  #interface: Interface | null = null
  /** Lines that came before they were asked for, as of a pasted text. */
  readonly #typed: string[] = []
  #waiting: ((line: string | null | typeof interrupted) => void) | null = null
  #line = 0

  constructor(shell: Shell, history: History) {
    this.#shell = shell
    this.#history = history
    this.#completion = new Completion(shell)
  }

  get line(): number {
    return this.#line
  }

  history(): readonly string[] {
    return this.#history.lines
  }

  async next(unfinished: Unfinished): Promise<string | null | typeof interrupted> {
    this.#completion.unfinished = unfinished
    const name = unfinished === '=' ? 'PROMPT1' : 'PROMPT2'
    const line = await this.#ask(promptText(this.#shell, name, unfinished))
    if (typeof line !== 'string') return line
    await this.#history.add(line)
    this.#completion.took(line, unfinished)
    return line
  }

  async *data(): AsyncGenerator<Uint8Array> {
    const { stdout } = this.#shell
    if (!this.#shell.isQuiet)
      await stdout.write(
        'Enter data to be copied followed by a newline.\n' +
          'End with a backslash and a period on a line by itself, or an EOF signal.\n',
      )
    try {
      for (;;) {
        this.#completes = false
        const line = await this.#ask(promptText(this.#shell, 'PROMPT3', '='))
        if (line === interrupted) throw new Error('canceled by user')
        if (line === null || line === String.raw`\.`) return
        yield Buffer.from(`${line}\n`)
      }
    } finally {
      this.#completes = true
    }
  }

  /** On Ctrl-C: cancels what runs, or throws away what was typed. */
  interrupt(): void {
    const waiting = this.#waiting
    if (waiting === null) {
      this.#typed.length = 0
      this.#shell.interrupt()
      return
    }
    // To the end of the line, and delete it.
    this.#interface?.write(null, { ctrl: true, name: 'e' })
    this.#interface?.write(null, { ctrl: true, name: 'u' })
    this.#shell.host.stdout.write('^C\n')
    this.#waiting = null
    waiting(interrupted)
  }

  /** Gives the terminal back, and ends the lines. */
  end(): void {
    this.#interface?.close()
  }

  suspend(): void {
    this.#interface?.pause()
    this.#shell.host.stdin.setRawMode?.(false)
  }

  resume(): void {
    if (this.#interface === null) return
    this.#shell.host.stdin.setRawMode?.(true)
    this.#interface.resume()
  }

  /** Whether Tab completes. In data it stands for itself. */
  set #completes(wanted: boolean) {
    // Readline has this, and its types lack it.
    Object.assign(wanted ? (this.#interface ?? {}) : this.#opened(), {
      isCompletionEnabled: wanted,
    })
  }

  async #ask(prompt: string): Promise<string | null | typeof interrupted> {
    const { stdin } = this.#shell.host
    if (stdin.readableEnded || stdin.destroyed) return null
    const lines = this.#opened()
    const typed = this.#typed.shift()
    if (typed !== undefined) {
      this.#line += 1
      return typed
    }
    lines.setPrompt(prompt)
    const line = await new Promise<string | null | typeof interrupted>((resolve) => {
      this.#waiting = resolve
      lines.prompt()
    })
    this.#line += 1
    return line
  }

  /** The editor, which Ctrl-D closes, and which is opened again if more is asked for after that. */
  #opened(): Interface {
    if (this.#interface !== null) return this.#interface
    const { host } = this.#shell
    const lines = createInterface({
      input: host.stdin,
      output: host.stdout,
      terminal: true,
      historySize: Number.MAX_SAFE_INTEGER,
      history: this.#history.lines.toReversed(),
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        void this.#complete(line, done)
      },
    })
    lines.on('line', (line) => this.#take(line))
    lines.on('SIGINT', () => this.interrupt())
    lines.once('close', () => {
      this.#interface = null
      host.stdout.write('\n')
      this.#take(null)
    })
    this.#interface = lines
    return lines
  }

  async #complete(
    line: string,
    done: (error: null, found: [string[], string]) => void,
  ): Promise<void> {
    done(null, await this.#completion.of(line))
  }

  #take(line: string | null): void {
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting !== null) waiting(line)
    else if (line !== null) this.#typed.push(line)
  }
}
