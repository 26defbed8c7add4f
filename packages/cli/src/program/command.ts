import type { DataDirectoryChoice } from '../opening/default-data-directory.ts'
import type { Interruption } from '../running/interruption.ts'
import type { Io } from '../io.ts'
import type { Options } from './options.ts'
import type { Output } from '../output/output.ts'

/** The context of a command. */
export interface Context {
  readonly io: Io
  readonly output: Output
  readonly interruption: Interruption
  readonly options: Options
  /** The operands after `--`, which are the last operands. */
  readonly rest: readonly string[]
  /** The data directory, if it is chosen already. */
  readonly place?: DataDirectoryChoice | undefined
}

/** A command. It gives an exit status, or throws. */
export type Command = (context: Context, operands: readonly string[]) => Promise<number>
