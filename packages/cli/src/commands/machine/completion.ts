import { bashCompletion, fishCompletion, manPage, zshCompletion } from '@howdah/completion'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { guide } from '../../program/guide.ts'

const makers: ReadonlyMap<string, typeof bashCompletion> = new Map([
  ['bash', bashCompletion],
  ['fish', fishCompletion],
  ['man', manPage],
  ['zsh', zshCompletion],
])

/** Prints a script that completes howdah's words in a shell, or howdah's man page. */
export async function completion(
  { io, output, commands }: Context,
  [shell = '']: readonly string[],
): Promise<number> {
  const make = makers.get(shell)
  if (make === undefined) {
    throw misused(`completion: there is none for "${shell}"; write "bash", "zsh", "fish" or "man"`)
  }
  await output.write(make(guide(io.version, commands)))
  return exitStatus.done
}
