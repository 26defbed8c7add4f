import type { Option } from 'commander'
import type { Asked } from '@howdah/provision'
import type { Interruption, Output } from '@howdah/terminal'
import type { Io } from '../io.ts'
import type { DataDirectoryChoice } from '../opening/default-data-directory.ts'
import type { OptionName, Options } from './options.ts'

/** The context of a command. */
export interface Context {
  readonly io: Io
  readonly output: Output
  readonly interruption: Interruption
  /** Those of the command line, and what the settings of the project say besides. */
  readonly options: Options
  /** The data directory, if it was chosen before. */
  readonly place?: DataDirectoryChoice | undefined
  /** The settings of the project, if it has any. */
  readonly asked?: Asked | undefined
  /** All commands. */
  readonly commands: readonly Declaration[]
  /** The operands after `--`, which are the last operands. */
  readonly rest: readonly string[]
}

/** A command. It gives an exit status, or throws. */
export type Command = (context: Context, operands: readonly string[]) => Promise<number>

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
  /** Those that several commands have by their names, and others. */
  readonly options: readonly (OptionName | Option)[]
  /** Text for the end of its help. */
  readonly notes?: string
  /** Options without which it does nothing. */
  readonly requires?: readonly OptionName[]
  /** The words that its first operand may be. */
  readonly actions?: readonly string[]
  /** Another name for it. */
  readonly alias?: string
  /** After so many operands comes the name of another program, and everything from there on belongs to that program. */
  readonly passesThrough?: 0 | 1
  /** Words after `--` are passed on unchanged. */
  readonly takesRest?: true
  /** Its exit status is that of another program, so its own failures have special statuses. */
  readonly runsProgram?: true
  /** The heading in the list of commands. */
  readonly group: Group | (string & {})
  /** Loads the command. */
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
