import { describeError, errorAsJson } from '@howdah/terminal'
import type { Context } from '../program/command.ts'

/** An error as words for people. */
export function inWords(error: unknown, { stack = false }: { stack?: boolean } = {}): string {
  const hint = 'set HOWDAH_DEBUG=1 to see where this comes from'
  return describeError(error, { program: 'howdah', stack, hint })
}

/** Reports the error with which a command ends: in words, with the stack if HOWDAH_DEBUG=1 asks for it, or as JSON. */
export function reportError(
  { io, options, output }: Pick<Context, 'io' | 'options' | 'output'>,
  error: unknown,
  status: number,
): void {
  const stack = io.env['HOWDAH_DEBUG'] === '1'
  output.complain(options.json ? errorAsJson(error, status) : inWords(error, { stack }))
}
