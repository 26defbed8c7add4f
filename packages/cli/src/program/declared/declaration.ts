import type { Command } from '../command.ts'
import type { OptionName } from '../options.ts'

/** The declaration of a command for the command line. The command itself is loaded when it is used. */
export interface Declaration {
  readonly name: string
  /** Its operands, in the notation of commander. */
  readonly operands?: string
  /** The arguments in its help, if they differ from the operands. */
  readonly usage?: string
  /** One line, in the list of commands. */
  readonly summary: string
  /** The text of its own help, if it has more than the summary. */
  readonly description?: string
  readonly options: readonly OptionName[]
  /** Text for the end of its help. */
  readonly notes?: string
  /** The first operand is the name of another program, and everything after it belongs to that program. */
  readonly passesThrough?: true
  /** Words after `--` are passed on unchanged. */
  readonly takesRest?: true
  /** Its exit status is that of another program, so its own failures have special statuses. */
  readonly runsProgram?: true
  /** The heading in the list of commands. */
  readonly group: Group
  load(): Promise<Command>
}

type Group =
  | 'Use'
  | 'Server'
  | 'Databases'
  | 'Backups'
  | 'PostgreSQL'
  | 'Locks and leases'
  | 'SQLite'
