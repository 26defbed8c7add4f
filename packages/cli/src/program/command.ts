import type { Interruption } from '../running/interruption.ts'
import type { Io } from '../io.ts'
import type { Options } from './options.ts'
import type { Output } from '../output/output.ts'

/** What a command works with. */
export interface Context {
  readonly io: Io
  readonly output: Output
  readonly interruption: Interruption
  readonly options: Options
  /** The operands that stood after `--`: the last ones of them. */
  readonly rest: readonly string[]
}

/** A command: does what its operands say and answers with an exit status, or throws. */
export type Command = (context: Context, operands: readonly string[]) => Promise<number>
