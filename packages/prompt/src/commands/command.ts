import type { SendOptions } from '../running/send-query.ts'
import type { Run } from '../running/run.ts'
import type { CommandReader } from '../scanning/command-reader.ts'
import type { LineSource } from '../scanning/line-source.ts'
import type { Shell } from '../state/shell.ts'

/** What a command is given. */
export interface CommandContext {
  readonly shell: Shell
  /** Its name and its arguments. */
  readonly reader: CommandReader
  /** The source of lines that it is in; `null` in a `-c`. */
  readonly run: Run | null
  /** Runs another source of lines to its end. Returns an exit status. */
  readonly include: Include
}

export type Include = (source: LineSource) => Promise<number>

/**
 * What came of a command: it failed, and has said so; the source is to end; or nothing more is to be done. An object asks for the
 * query so far to be sent, or for the one before if there is none.
 */
export type Outcome = 'failed' | 'quit' | undefined | { readonly send: SendOptions }

/** A backslash command. */
export interface Command {
  /** The names, without the backslash. */
  readonly names: readonly string[]
  /** Its arguments, in the help. */
  readonly usage?: string
  /** One line in the help. Without it, the command is not listed. */
  readonly summary?: string
  /** Its argument is the rest of the line, as it is. */
  readonly takesLine?: true
  /** Throws a `ShellError` with the reason if it fails. */
  run(context: CommandContext): Promise<Outcome>
}
