import type { Context } from './program/command.ts'
import { readCommandLine, type Said } from './program/command-line.ts'
import { errno } from '@howdah/durable'
import { exitStatus, inUseElsewhere, statusOf } from './exit-status.ts'
import { Interruption } from './running/interruption.ts'
import type { Io } from './io.ts'
import { Output } from './output/output.ts'
import type { Invocation } from './program/program.ts'
import { describeError } from './output/report-error.ts'
import { requireUtf8 } from './program/require-utf8.ts'

/**
 * Runs a command line, given without the name of the program, and gives the exit status.
 *
 * It uses only `io`: it does not end or change the process, and leaves no listeners.
 *
 * @example
 * process.exitCode = await main(process.argv.slice(2), processIo(import.meta.url, '1.0.0'))
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const undecodable = refuseUndecodable(args, io)
  if (undecodable !== null) return undecodable
  const invocation = readCommandLine(args, io)
  if ('status' in invocation) return await say(invocation, io)
  const { declaration, options, operands, rest } = invocation
  using interruption = new Interruption(io, () => {
    if (io.stderr.isTTY === true) output.message('stopping…')
  })
  const output = new Output(io, {
    quiet: options.quiet === true,
    onFailure: (status) => interruption.abort(status),
  })
  try {
    const command = await declaration.load()
    const context: Context = { io, output, interruption, options, rest }
    const before = mayMissCluster(declaration)
      ? (await import('./program/usual-commands.ts')).explainMissing(context)
      : null
    const found = { ...context, place: before?.place }
    const status = await command(found, operands).finally(() => before?.explain())
    await output.close()
    return output.statusAfter(status)
  } catch (error) {
    if (interruption.status !== null) return interruption.status
    output.complain(describeError(error, io.env['HOWDAH_DEBUG'] === '1'))
    return failureOf(invocation, error)
  } finally {
    await output.close()
  }
}

/** Whether the command is about a cluster but does not make one. A command that makes one says itself where and why. */
function mayMissCluster({ options }: Invocation['declaration']): boolean {
  return options.includes('datadir') && !options.includes('empty')
}

/** Prints the help or the complaint that the command line has led to. */
async function say({ status, out, err }: Said, io: Io): Promise<number> {
  const output = new Output(io, { quiet: false, onFailure: () => undefined })
  if (err !== '') output.complain(err.replace(/\n$/, ''))
  if (out !== '') await output.write(out)
  await output.close()
  return output.statusAfter(status)
}

/** The exit status if an argument or path is not UTF-8, after reporting it; otherwise `null`. */
function refuseUndecodable(args: readonly string[], io: Io): number | null {
  try {
    requireUtf8(args, io)
    return null
  } catch (error) {
    io.stderr.write(`${describeError(error, false)}\n`)
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
