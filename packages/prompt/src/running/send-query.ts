import { isOfServer, type TextResult } from '../connection/wire-query.ts'
import { describeServerMessage } from '../connection/describe-server-message.ts'
import { ConnectionLost, ShellError } from '../errors.ts'
import type { PrintOptions } from '../printing/print-options.ts'
import { tableOf } from '../printing/table.ts'
import { openTarget } from '../state/open-target.ts'
import type { OutputTarget } from '../state/output-target.ts'
import type { Shell } from '../state/shell.ts'
import { showTable } from './show-table.ts'

/** What is done with the results of a query, other than to print them. */
export interface SendOptions {
  /** The file or, with `|` in front, the command of `\g`. */
  readonly target?: string | undefined
  /** Settings of `\pset` for this query. */
  readonly print?: Partial<PrintOptions> | undefined
  /** Takes a result instead of printing it. Returns whether that was possible. */
  readonly take?: ((result: TextResult) => Promise<boolean>) | undefined
  /** The other end of the data of COPY, instead of the source of lines and the output. */
  readonly copy?:
    | { readonly read?: () => AsyncIterable<Uint8Array>; readonly write?: OutputTarget['write'] }
    | undefined
  /** Runs after a success. Returns whether it succeeded too. */
  readonly afterwards?: (() => Promise<boolean>) | undefined
  /** Do not remember the query for `\g`. */
  readonly isOwn?: boolean | undefined
}

/** Sends a query, and prints its results or its error. Returns whether it succeeded. */
export async function sendQuery(
  shell: Shell,
  query: string,
  options: SendOptions = {},
): Promise<boolean> {
  const { connection, variables } = shell
  if (connection === null) {
    shell.complainOf('You are currently not connected to a database.')
    return false
  }
  if (options.isOwn !== true) shell.lastQuery = query
  if (variables.get('ECHO') === 'queries') await shell.stdout.write(`${query}\n`)
  const sending = new Sending(shell, options)
  const begin = performance.now()
  let succeeded = true
  try {
    if (!variables.isOn('AUTOCOMMIT') && connection.transaction === 'none' && !beginsOne(query))
      await connection.ask('BEGIN')
    await connection.run(query, sending)
    variables.set('ERROR', 'false')
    variables.set('SQLSTATE', '00000')
  } catch (error) {
    await report(shell, error as Error, query)
    succeeded = false
  } finally {
    await sending.close()
  }
  if (shell.timing) await shell.out.write(describeTime(performance.now() - begin))
  await shell.out.write(shell.takeNotifications())
  if (connection.lost) await reconnect(shell)
  else if (!(await keepsEncoding(shell))) return false
  if (!succeeded || !sending.succeeded) return false
  return options.afterwards === undefined || (await options.afterwards())
}

/** Takes the results of a query. */
class Sending {
  succeeded = true
  readonly #shell: Shell
  readonly #options: SendOptions
  #target: OutputTarget | null = null

  constructor(shell: Shell, options: SendOptions) {
    this.#shell = shell
    this.#options = options
  }

  readonly onResult = async (result: TextResult): Promise<void> => {
    const { variables } = this.#shell
    const [, count = '0'] = / (\d+)$/.exec(result.tag) ?? []
    variables.set('ROW_COUNT', result.returnsRows ? String(result.rows.length) : count)
    if (this.#options.take !== undefined && result.returnsRows) {
      this.succeeded &&= await this.#options.take(result)
      return
    }
    if (result.returnsRows) {
      const options = { ...this.#shell.print, ...this.#options.print }
      await showTable(this.#shell, tableOf(result, options), options, await this.#opened())
    }
    const isChange = !result.returnsRows || /^(?:INSERT|UPDATE|DELETE|MERGE)\b/.test(result.tag)
    if (!isChange || this.#shell.isQuiet) return
    if (!result.hasWritten) await (await this.#opened()).write(`${result.tag}\n`)
    // Data of COPY that go to the same place say themselves what there is.
    else if (!this.#hasWrittenTo(this.#shell.out)) await this.#shell.out.write(`${result.tag}\n`)
  }

  readonly write = async (data: Buffer): Promise<void> => {
    const write = this.#options.copy?.write
    await (write === undefined ? (await this.#opened()).write(data) : write(data))
  }

  readonly read = (): AsyncIterable<Uint8Array> => {
    const read = this.#options.copy?.read
    if (read !== undefined) return read()
    return (this.#shell.source ?? this.#shell.stdin).data()
  }

  async close(): Promise<void> {
    await this.#target?.close()
  }

  #hasWrittenTo({ write }: OutputTarget): boolean {
    const { copy, target } = this.#options
    return copy?.write === undefined ? target === undefined : copy.write === write
  }

  async #opened(): Promise<OutputTarget> {
    const { target } = this.#options
    if (target === undefined) return this.#shell.out
    this.#target ??= await openTarget(this.#shell, target)
    return this.#target
  }
}

/** Prints an error, and sets the variables that scripts ask about it. */
async function report(shell: Shell, error: Error, query: string): Promise<void> {
  const { variables } = shell
  if (error instanceof ShellError) shell.complainOf(error.message)
  else shell.complain(describeServerMessage(error, query, shell.verbosity))
  if (variables.get('ECHO') === 'errors') shell.complain(`STATEMENT:  ${query}`)
  const code = isOfServer(error) ? (error.code ?? '') : ''
  variables.set('ERROR', 'true')
  variables.set('SQLSTATE', code)
  variables.set('LAST_ERROR_SQLSTATE', code)
  variables.set('LAST_ERROR_MESSAGE', error.message)
  variables.set('ROW_COUNT', '0')
  shell.lastFailure = { message: error, statement: query }
}

/** At a prompt, connects again. A script ends. */
async function reconnect(shell: Shell): Promise<void> {
  const { connection } = shell
  if (!shell.isInteractive || connection === null)
    throw new ConnectionLost('the connection to the server was lost')
  const { database, facts } = connection
  try {
    await shell.connect({ database, user: facts.user })
    shell.host.complain('The connection to the server was lost, and is there again.')
  } catch (error) {
    await shell.disconnect()
    shell.host.complain(
      `The connection to the server was lost: ${(error as Error).message}. \\c tries again.`,
    )
  }
}

/**
 * Goes back to UTF8 if a query has chosen another encoding, in which text would be taken for something else. Returns whether
 * that was not necessary.
 */
async function keepsEncoding(shell: Shell): Promise<boolean> {
  const { connection } = shell
  if (connection === null || connection.encoding === 'UTF8') return true
  const { encoding } = connection
  if (connection.transaction === 'failed') return true
  await connection.ask("SET client_encoding TO 'UTF8'")
  shell.complainOf(
    `client_encoding ${encoding} is not supported here, where all text is UTF8; it is UTF8 again`,
  )
  return false
}

/** Whether a query must not or need not be preceded by BEGIN. */
function beginsOne(query: string): boolean {
  const text = query.replace(/^(?:\s+|--[^\n]*\n|\/\*[^]*?\*\/)+/, '')
  return /^(?:abort|begin|start|commit|end|rollback|prepare\s+transaction|vacuum|alter\s+system|(?:create|drop)\s+(?:database|tablespace)|(?:reindex|create|drop)\s[^;]*\bconcurrently|discard\s+all)\b/i.test(
    text,
  )
}

/** As psql has it: in ms, and in hours, minutes and seconds if it took longer than a second. */
function describeTime(milliseconds: number): string {
  const precise = `Time: ${milliseconds.toFixed(3)} ms`
  if (milliseconds < 1000) return `${precise}\n`
  const seconds = milliseconds / 1000
  const rest = (seconds % 60).toFixed(3).padStart(6, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${precise} (${String(minutes).padStart(2, '0')}:${rest})\n`
  const hours = Math.floor(minutes / 60)
  const two = (value: number) => String(value).padStart(2, '0')
  if (hours < 24) return `${precise} (${two(hours)}:${two(minutes % 60)}:${rest})\n`
  return `${precise} (${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(minutes % 60)}:${rest})\n`
}
