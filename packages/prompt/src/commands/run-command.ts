import { describeServerMessage } from '../connection/describe-server-message.ts'
import { isOfServer } from '../connection/wire-query.ts'
import { ConnectionLost, ShellError } from '../errors.ts'
import type { Run } from '../running/run.ts'
import { sendQuery } from '../running/send-query.ts'
import { CommandReader } from '../scanning/command-reader.ts'
import type { Shell } from '../state/shell.ts'
import type { Command, CommandContext, Include, Outcome } from './command.ts'
import { runConditional } from './conditional.ts'
import { findCommand, missing } from './commands.ts'

/** Runs a backslash command. What is left of its line is put back. */
export async function runCommand(
  shell: Shell,
  text: string,
  run: Run | null,
  include: Include,
): Promise<'failed' | 'quit' | undefined> {
  if (run !== null) {
    const conditional = await runConditional(shell, text, run)
    if (conditional !== null) return conditional.failed ? 'failed' : undefined
    if (!run.conditions.isActive) {
      await passOver(text, run)
      return undefined
    }
  }
  const reader = new CommandReader(text, {
    lookUp: shell.variables.get,
    runs: shell.outputOf,
  })
  const outcome = await attempt({ shell, reader, run, include })
  if (outcome === 'failed' || outcome === 'quit' || outcome === undefined) return outcome
  return await send(shell, outcome, run)
}

async function attempt(context: CommandContext): Promise<Outcome> {
  const { shell, reader, run } = context
  try {
    const command = findCommand(reader.name)
    if (command === undefined) throw new ShellError(missing(reader.name, shell.isInteractive))
    refuseIfRestricted(shell, reader.name)
    const outcome = await command.run(context)
    if (outcome === 'failed') return outcome
    for (const word of await reader.words())
      shell.complain(`\\${reader.name}: extra argument "${word}" ignored`)
    // In a `-c`, there is one command.
    run?.scanner.add(reader.leftover())
    return outcome
  } catch (error) {
    complain(shell, error as Error)
    return 'failed'
  }
}

function complain(shell: Shell, error: Error): void {
  if (error instanceof ConnectionLost) throw error
  if (error instanceof ShellError) shell.complainOf(error.message)
  else if (isOfServer(error)) shell.complain(describeServerMessage(error, '', shell.verbosity))
  else shell.complainOf(error.message)
}

function refuseIfRestricted({ restriction }: Shell, name: string): void {
  if (restriction !== null && name !== 'unrestrict')
    throw new ShellError(String.raw`backslash commands are restricted; only \unrestrict is allowed`)
}

async function send(
  shell: Shell,
  { send: options }: { readonly send: Parameters<typeof sendQuery>[2] },
  run: Run | null,
): Promise<'failed' | undefined> {
  const query = run?.scanner.query ?? ''
  if (run !== null) run.scanner.query = ''
  const text = query === '' ? shell.lastQuery : query
  if (text === '') return undefined
  return (await sendQuery(shell, text, options)) ? undefined : 'failed'
}

/** Passes over a command in a branch that is not taken. */
async function passOver(text: string, run: Run): Promise<void> {
  const reader = new CommandReader(text, null)
  const command: Command | undefined = findCommand(reader.name)
  if (command === undefined || command.takesLine === true) return
  try {
    await reader.words()
    run.scanner.add(reader.leftover())
  } catch {
    // The rest of the line is passed over too.
  }
}
