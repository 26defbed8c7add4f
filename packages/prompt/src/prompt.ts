import { createInterface, type Interface } from 'node:readline'
import { describeServerError } from './describe-server-error.ts'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import type { Host } from './host.ts'
import { PromptCommands } from './prompt-commands.ts'
import type { QueryRunner } from './query-runner.ts'
import { renderResult } from './result-table.ts'
import { splitStatements } from './split-statements.ts'

/** Opens a connection to a database. */
export type OpenRunner = (database: string) => Promise<QueryRunner>

/** Prompts for SQL on the terminal until Ctrl-D or `\q`. */
export async function runPrompt(host: Host, database: string, open: OpenRunner): Promise<number> {
  const prompt = new Prompt(host, open, await open(database))
  let status: number = exitStatus.done
  await host.during(
    (signal) => {
      if (signal === 'SIGINT') return prompt.interrupt()
      const asked = statusOfSignal(signal)
      if (asked === null) return
      status = asked
      prompt.end()
    },
    () =>
      prompt.run(
        createInterface({
          input: host.stdin,
          output: host.stdout,
          terminal: true,
          historySize: 1000,
        }),
      ),
    { count: false },
  )
  return status
}

/** Reads lines, joins them to statements, runs the statements, and prints the results. */
class Prompt {
  readonly #host: Host
  readonly #open: OpenRunner
  #runner: QueryRunner
  #lines: Interface | null = null
  /** The text after the last semicolon. */
  #pending = ''

  constructor(host: Host, open: OpenRunner, runner: QueryRunner) {
    this.#host = host
    this.#open = open
    this.#runner = runner
  }

  async run(lines: Interface): Promise<void> {
    this.#lines = lines
    lines.on('SIGINT', () => this.interrupt())
    this.#host.message(
      `howdah ${this.#host.version}, built-in prompt (there is no psql here). \\? lists what it knows.`,
    )
    this.#ask()
    for await (const line of lines) {
      if (!(await this.#take(line))) break
      this.#ask()
    }
    lines.close()
    await this.#host.write('\n')
    await this.#runner.close().catch(() => undefined)
  }

  /** On Ctrl-C, cancels the running statement, or discards the typed text. */
  interrupt(): void {
    if (this.#runner.running) {
      this.#runner.cancel().catch((error: unknown) => this.#complain(error, ''))
      return
    }
    this.#pending = ''
    this.#lines?.write(null, { ctrl: true, name: 'e' })
    this.#lines?.write(null, { ctrl: true, name: 'u' })
    this.#host.stdout.write('^C\n')
    this.#ask()
  }

  end(): void {
    this.interrupt()
    this.#lines?.close()
  }

  #ask(): void {
    const goesOn = splitStatements(this.#pending).unfinished !== null
    this.#lines?.setPrompt(`${this.#runner.database}${goesOn ? '-' : '='}> `)
    this.#lines?.prompt()
  }

  /** Handles one line. Returns whether the prompt goes on. */
  async #take(line: string): Promise<boolean> {
    const fresh = splitStatements(this.#pending).unfinished === null
    if (fresh && /^\s*\\/.test(line)) return await this.#command(line.trim())
    if (fresh && /^\s*(?:quit|exit)\s*;?\s*$/i.test(line)) return false
    const { statements, rest } = splitStatements(`${this.#pending}${line}\n`)
    this.#pending = rest.trim() === '' ? '' : rest
    for (const { text } of statements) {
      try {
        await this.#print(await this.#runner.run(text))
      } catch (error) {
        this.#complain(error, text)
      }
    }
    return true
  }

  async #command(text: string): Promise<boolean> {
    const commands = new PromptCommands(this.#runner)
    try {
      const outcome = await commands.run(text)
      if (outcome.kind === 'quit') return false
      if (outcome.kind === 'connect') await this.#connect(outcome.database)
      else if (outcome.kind === 'text') await this.#host.write(`${outcome.text}\n`)
      else for (const { title, result } of outcome.tables) await this.#print([result], title)
    } catch (error) {
      this.#complain(error, '')
    }
    return true
  }

  async #connect(database: string): Promise<void> {
    const next = await this.#open(database)
    await this.#runner.close().catch(() => undefined)
    this.#runner = next
    await this.#host.write(`You are now connected to database "${database}".\n`)
  }

  async #print(results: Awaited<ReturnType<QueryRunner['run']>>, title?: string): Promise<void> {
    if (title !== undefined) await this.#host.write(`${title}\n`)
    for (const result of results) await this.#host.write(`${renderResult(result)}\n`)
  }

  #complain(error: unknown, statement: string): void {
    this.#host.complain(describeServerError(error as Error, statement))
  }
}
