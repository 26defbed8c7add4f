import { spawn, type ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Held } from '../holding/held.ts'
import type { HoldOptions } from '../holding/hold-options.ts'
import { hold } from '../holding/hold.ts'
import type { Leaser } from '../leaser.ts'
import { Pace } from '../holding/pace.ts'
import { readLines, type GuardOrder, type GuardReport } from './guard-protocol.ts'
import { type LeaseError, commandFailed, leaseLost, meaninglessOption } from '../errors.ts'

/** A command that runs under a lease. */
export interface RunningCommand {
  readonly pid: number
  /** The fencing token. */
  readonly generation: bigint
  /** Signals the command and what it started. */
  readonly kill: (signal: NodeJS.Signals) => void
}

/** How a command is run under a lease. */
export interface CommandOptions extends Omit<HoldOptions, 'onRenew'> {
  /** Ends the waiting for the lease, and the command, as when the lease is lost. */
  readonly signal?: AbortSignal | undefined
  /** The command's directory; this process's by default. */
  readonly cwd?: string | undefined
  /** The command's environment, whole, or what makes it of the hold, to hand the fencing token on; this process's by default. */
  readonly env?: NodeJS.ProcessEnv | ((held: Held) => NodeJS.ProcessEnv) | undefined
  /** Descriptors of this process, from 3 on, that the command gets under the same numbers; none by default. */
  readonly descriptors?: readonly number[] | undefined
  /**
   * How long the command has between SIGTERM and SIGKILL, in milliseconds; 5,000 by default, at most a quarter of the holder's
   * time.
   */
  readonly grace?: number | undefined
  /** Is called when the command runs, to pass signals on. */
  readonly onStart?: ((command: RunningCommand) => void) | undefined
}

/** How a command ended. */
export interface CommandResult {
  /** Its exit status; `null` if a signal ended it. */
  readonly status: number | null
  /** The signal that ended it; `null` if it exited. */
  readonly signal: NodeJS.Signals | null
  /** Why it was ended, if that was for the lease; `null` if it had the lease to its end. */
  readonly lost: LeaseError | null
}

/**
 * Holds the lease while a command runs, with this process's standard streams, and tells how that ended.
 *
 * Between this process and the command stands a small helper with a deadline that each renewal moves on. The command gets
 * SIGTERM `grace` before the lease may be lost and SIGKILL when that is over, even if this process is stopped or
 * killed; if it is killed, at once. Command and helper are in sessions of their own, so a terminal's signals have to be
 * passed on; the signals go to the command's whole process group, and miss only what has left that.
 *
 * Throws what {@link hold} throws, and `ERR_LEASE_COMMAND` if the command cannot be run, with the system's `errno`.
 * Not on Windows, which has no process groups.
 */
export async function runCommandWithLease(
  leaser: Leaser,
  command: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<CommandResult> {
  if (process.platform === 'win32') {
    throw commandFailed('Windows has no process groups to end a command by', 'ENOSYS')
  }
  const pace = new Pace(leaser, options)
  const grace = options.grace ?? Math.min(5_000, pace.usable / 4)
  if (!(grace >= 0 && grace < pace.usable - pace.heartbeat)) {
    throw meaninglessOption(
      `grace must be 0 or more milliseconds, and less than the ${Math.floor(pace.usable - pace.heartbeat)} ms between a heartbeat and the end, and is ${grace}`,
    )
  }
  let follow: (held: Held) => void = () => {}
  const held = await hold(leaser, { ...options, onRenew: (renewed) => follow(renewed) })
  try {
    const guard = startGuard(options.descriptors)
    follow = ({ deadline }) => guard.order({ type: 'deadline', deadline })
    return await runUnder(guard, held, { ...options, command, args, grace })
  } finally {
    follow = () => {}
    await held.release()
  }
}

interface GuardHandle {
  readonly process: ChildProcess
  readonly channel: Duplex
  /** What the command inherits of the guard. */
  readonly stdio: readonly ('inherit' | 'ignore' | number)[]
  order(order: GuardOrder): void
}

function startGuard(descriptors: readonly number[] = []): GuardHandle {
  const kept = descriptors.filter((fd) => fd > 2)
  // The lowest number that the command does not get. Node itself has it open, so that spawning does not need it.
  let channelNumber = 3
  while (kept.includes(channelNumber)) channelNumber++
  const stdio = stdioOf(kept)
  const guardStdio: ('inherit' | 'ignore' | 'pipe' | number)[] = [...stdio]
  while (guardStdio.length < channelNumber) guardStdio.push('ignore')
  guardStdio[channelNumber] = 'pipe'
  const program = fileURLToPath(new URL('guard.js', import.meta.url))
  const helper = spawn(process.execPath, [program, String(channelNumber)], {
    stdio: guardStdio,
    detached: true,
    // The caller's NODE_OPTIONS are meant for the command, which is sent its environment.
    env: {},
    cwd: '/',
  })
  const channel = helper.stdio[channelNumber] as Duplex
  // A helper that is gone says so by its exit.
  channel.on('error', () => {})
  return {
    process: helper,
    channel,
    stdio,
    order: (order) => {
      if (channel.writable) channel.write(`${JSON.stringify(order)}\n`)
    },
  }
}

/** The standard streams, and from 3 on these descriptors under their own numbers. */
function stdioOf(descriptors: readonly number[]): ('inherit' | 'ignore' | number)[] {
  const length = Math.max(2, ...descriptors) + 1
  return Array.from({ length }, (_, fd) => {
    if (fd < 3) return 'inherit'
    return descriptors.includes(fd) ? fd : 'ignore'
  })
}

async function runUnder(
  guard: GuardHandle,
  held: Held,
  options: CommandOptions & { command: string; args: readonly string[]; grace: number },
): Promise<CommandResult> {
  const { command, args, grace } = options
  let pid: number | undefined
  const killAll = () => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
  }
  const end = () => guard.order({ type: 'end' })
  held.signal.addEventListener('abort', killAll, { once: true })
  options.signal?.addEventListener('abort', end, { once: true })
  try {
    const report = new Promise<GuardReport>((resolve, reject) => {
      readLines(guard.channel, (line) => {
        const said = line as GuardReport
        if (said.type !== 'started') return resolve(said)
        ;({ pid } = said)
        if (held.signal.aborted) return killAll()
        options.onStart?.({
          pid,
          generation: held.generation,
          kill: (signal) => guard.order({ type: 'signal', signal }),
        })
      })
      guard.process.once('error', (error) => {
        reject(commandFailed(`cannot start the helper: ${error.message}`, '', error))
      })
      guard.process.once('close', (status, signal) => {
        // Without it nothing ends the command in time, so this does, now.
        killAll()
        const how = signal ?? `status ${status}`
        reject(commandFailed(`the helper of ${command} ended early, with ${how}`, ''))
      })
    })
    const { deadline } = held
    guard.order({
      type: 'run',
      command,
      args,
      cwd: options.cwd ?? process.cwd(),
      env: definedOnly(environmentOf(options, held)),
      stdio: guard.stdio,
      grace,
      deadline,
    })
    if (options.signal?.aborted) end()
    const ended = await report
    if (ended.type === 'failed') {
      throw commandFailed(
        `cannot run ${command}: ${ended.message}; check its name and mode`,
        ended.errno,
      )
    }
    if (ended.type !== 'ended') throw commandFailed('the helper said nonsense', '')
    return { status: ended.status, signal: ended.signal, lost: whyLost(held, ended.late) }
  } finally {
    held.signal.removeEventListener('abort', killAll)
    options.signal?.removeEventListener('abort', end)
    guard.channel.end()
  }
}

function whyLost(held: Held, late: boolean): LeaseError | null {
  try {
    held.check()
    return late ? leaseLost(held.generation, 'it was renewed, but too late') : null
  } catch (error) {
    return error as LeaseError
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended.
  }
}

function environmentOf({ env = process.env }: CommandOptions, held: Held): NodeJS.ProcessEnv {
  return typeof env === 'function' ? env(held) : env
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return Object.fromEntries(entries)
}
