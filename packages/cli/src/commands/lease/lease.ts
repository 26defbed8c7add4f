import { type CommandResult, type Held, runCommandWithLease } from '@howdah/lease'
import { forListener, type PassedSignal, statusOfSignal } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { errno, stillOpen } from '@howdah/durable'
import { exitStatus } from '../../exit-status.ts'
import { openLeaser } from '../../opening/lease/open-leaser.ts'
import { resetLease } from './reset-lease.ts'
import { showLease } from './show-lease.ts'
import { withCure } from './with-cure.ts'

/** Runs a command while holding a lease, and ends the command before the lease can be lost. Or shows or resets a lease. */
export async function lease(context: Context, operands: readonly string[]): Promise<number> {
  const { options, rest } = context
  const [first = '', name] = operands.slice(0, operands.length - rest.length)
  if (name !== undefined) return await operate(context, first, name)
  const [command, ...args] = rest
  if (command === undefined) {
    throw misused(
      'lease: say which command to run, after --: howdah lease NAME -- COMMAND; or: howdah lease show NAME, howdah lease reset NAME',
    )
  }
  if (options.json) throw misused('lease: --json is for "show"')
  if (options.force) throw misused('lease: --force is for "reset"')
  return await runWith(context, first, command, args)
}

async function operate(context: Context, action: string, name: string): Promise<number> {
  if (context.rest.length > 0 || (action !== 'show' && action !== 'reset')) {
    throw misused(
      `lease: a command stands after --, as in: howdah lease ${action} -- ${name}; or write "show ${name}" or "reset ${name}"`,
    )
  }
  return await (action === 'show' ? showLease : resetLease)(context, name)
}

async function runWith(
  context: Context,
  name: string,
  command: string,
  args: readonly string[],
): Promise<number> {
  const { output } = context
  const opened = await openLeaser(context, name)
  const { leaser } = opened
  try {
    output.progress.show(`waiting for the lease ${leaser.place}`)
    const words = forListener(command, args, context.io.env)
    const { status, signal, lost } = await run(context, leaser.place, (options) =>
      runCommandWithLease(leaser, words.command, words.args, options),
    )
    if (lost === null) return signal === null ? (status ?? 0) : statusOfSignal(signal)
    // The command has not had the lease all the time, whatever its exit status is.
    output.complain(`howdah: ${lost.message}`)
    return exitStatus.ownFailure
  } catch (error) {
    const refusal = errnoOf(error)
    if (refusal === null) throw withCure(error, context, name)
    if (refusal === 'ENOENT') output.complain(`howdah: ${command}: command not found`)
    else output.complain(`howdah: ${(error as Error).message}`)
    return refusal === 'ENOENT' ? exitStatus.notFound : exitStatus.notRunnable
  } finally {
    output.progress.clear()
    await opened.close()
  }
}

type Options = Exclude<Parameters<typeof runCommandWithLease>[3], undefined>

/**
 * Waits for the lease and runs the command. Signals end the wait. Once the lease is held they are passed to the command,
 * which runs in a session of its own and so does not get the terminal's signals.
 */
async function run(
  { io, options, output, interruption }: Context,
  place: string,
  action: (options: Options) => Promise<CommandResult>,
): Promise<CommandResult> {
  const early: PassedSignal[] = []
  let kill = (signal: PassedSignal): void => void early.push(signal)
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  try {
    return await action({
      cwd: io.cwd,
      descriptors: stillOpen(io.descriptors ?? []),
      env: (held) => {
        // A signal that came while we waited for the lease.
        interruption.signal.throwIfAborted()
        void interruption.during(
          (name) => kill(name),
          () => ended,
        )
        return environment(io.env, held)
      },
      signal: interruption.signal,
      timeout: options.timeout,
      onWait: ({ owner, expiresAt }) => {
        const holder = owner === undefined || owner === '' ? 'somebody without a name' : owner
        const until = expiresAt === undefined ? '' : `, at present until ${expiresAt.toISOString()}`
        output.message(`howdah: waiting for the lease ${place}, held by ${holder}${until}`)
      },
      grace: options.grace,
      logger: { warn: (message) => output.message(`howdah: ${message}`) },
      onStart: (running) => {
        output.progress.clear()
        kill = running.kill
        for (const name of early) kill(name)
      },
    })
  } finally {
    end()
  }
}

/** Adds the fencing token, so that the resource that the command works on can refuse older generations. */
function environment(env: NodeJS.ProcessEnv, { lease: held }: Held): NodeJS.ProcessEnv {
  return {
    ...env,
    HOWDAH_LEASE_GENERATION: `${held.generation}`,
    HOWDAH_LEASE_OWNER: held.owner,
  }
}

/** The system's reason not to run the command; `null` for any other failure. */
function errnoOf(error: unknown): string | null {
  if (errno(error) !== 'ERR_LEASE_COMMAND') return null
  return (error as { errno?: string }).errno || null
}
