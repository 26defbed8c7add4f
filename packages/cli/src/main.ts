import { errorAsJson, Interruption, Output, statusOfSignal } from '@howdah/terminal'
import type { Context, Declaration } from './program/command.ts'
import { readCommandLine, type Said } from './program/command-line.ts'
import { declarations } from './program/declarations.ts'
import { errno } from '@howdah/durable'
import { misused } from './errors.ts'
import { exitStatus, inUseElsewhere, statusOf } from './exit-status.ts'
import type { Io } from './io.ts'
import type { Invocation } from './program/program.ts'
import { inWords, reportError } from './output/report-error.ts'
import { requireUtf8 } from './program/require-utf8.ts'

/** How to run a command line. */
export interface MainOptions {
  /** More commands. One with the name of a known command takes its place. */
  readonly commands?: readonly Declaration[] | undefined
}

/**
 * Runs a command line, given without the name of the program, and gives the exit status.
 *
 * It uses only `io`: it does not end or change the process, and leaves no listeners.
 *
 * @example
 * process.exitCode = await main(process.argv.slice(2), processIo(import.meta.url, '1.0.0'))
 */
export async function main(
  args: readonly string[],
  io: Io,
  { commands: added = [] }: MainOptions = {},
): Promise<number> {
  const undecodable = refuseUndecodable(args, io)
  if (undecodable !== null) return undecodable
  const known = declarations.filter(({ name }) => !added.some((command) => command.name === name))
  const commands = [...known, ...added]
  const invocation = readCommandLine(args, io, commands)
  if ('status' in invocation) return await say(invocation, io)
  const { declaration, options, operands, rest } = invocation
  using interruption = new Interruption(io, () => {
    if (io.stderr.isTTY === true) output.message('stopping…')
  })
  const output = new Output(io, {
    program: 'howdah',
    quiet: options.quiet,
    onFailure: (status) => interruption.abort(status),
  })
  try {
    const command = await declaration.load()
    const bare: Context = { io, output, interruption, options, commands, rest }
    const context = mayHaveSettings(declaration)
      ? await (await import('./program/usual-commands.ts')).withSettings(bare)
      : bare
    const before = mayMissCluster(declaration)
      ? (await import('./program/usual-commands.ts')).explainMissing(context)
      : null
    const found = { ...context, place: context.place ?? before?.place }
    const status = await command(found, operands).finally(() => before?.explain())
    await output.close()
    return output.statusAfter(status)
  } catch (error) {
    if (interruption.status !== null) return interruption.status
    const status = failureOf(invocation, error)
    reportError({ io, output, options }, error, status)
    return status
  } finally {
    await output.close()
  }
}

/** Whether the settings of a project say more about the command than which cluster it is about. */
function mayHaveSettings({ options }: Invocation['declaration']): boolean {
  return (
    options.includes('datadir') && (options.includes('runtime') || options.includes('database'))
  )
}

/** Whether the command is about a cluster but does not make one. A command that makes one says itself where and why. */
function mayMissCluster({ options }: Invocation['declaration']): boolean {
  return options.includes('datadir') && !options.includes('empty')
}

/** Prints the help or the complaint that the command line has led to. */
async function say({ status, out, err, isJson }: Said, io: Io): Promise<number> {
  const output = new Output(io, { program: 'howdah', onFailure: () => undefined })
  const words = err.replace(/\n$/, '')
  if (isJson && err !== '')
    output.complain(errorAsJson(misused(words.replace(/^howdah: /, '')), status))
  else if (err !== '') output.complain(words)
  if (out !== '') await output.write(out)
  await output.close()
  const whole = output.statusAfter(status)
  // Who reads only the beginning of a help has what they want.
  return whole === statusOfSignal('SIGPIPE') ? status : whole
}

/** The exit status if an argument or path is not UTF-8, after reporting it; otherwise `null`. */
function refuseUndecodable(args: readonly string[], io: Io): number | null {
  try {
    requireUtf8(args, io)
    return null
  } catch (error) {
    io.stderr.write(`${inWords(error)}\n`)
    return statusOf(error)
  }
}

/** The exit status of a failure. For a command that runs a program, it cannot be mistaken for the program's status. */
function failureOf({ declaration }: Invocation, error: unknown): number {
  const status = statusOf(error)
  if (errno(error) === inUseElsewhere) return status
  return declaration.runsProgram === true && status !== exitStatus.misused
    ? exitStatus.ownFailure
    : status
}
