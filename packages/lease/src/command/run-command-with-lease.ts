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
  /** Signals the command and the processes that it started. */
  readonly kill: (signal: NodeJS.Signals) => void
}

/** How a command is run under a lease. */
export interface CommandOptions extends Omit<HoldOptions, 'onRenew'> {
  /** Ends the wait for the lease, or the command as if the lease were lost. */
  readonly signal?: AbortSignal | undefined
  /** The command's directory; this process's by default. */
  readonly cwd?: string | undefined
  /**
   * The command's whole environment, or a function that makes it from the hold, for example to pass the fencing token on;
   * this process's environment by default.
   */
  readonly env?: NodeJS.ProcessEnv | ((held: Held) => NodeJS.ProcessEnv) | undefined
  /** Descriptors of this process, from 3 on, that the command gets under the same numbers; none by default. */
  readonly descriptors?: readonly number[] | undefined
  /**
   * How long the command has between SIGTERM and SIGKILL, in milliseconds; 5,000 by default, at most a quarter of the holder's
   * time.
   */
  readonly grace?: number | undefined
  /** Called when the command has started, so that you can pass signals on. */
  readonly onStart?: ((command: RunningCommand) => void) | undefined
}

/** How a command ended. */
export interface CommandResult {
  /** Its exit status; `null` if a signal ended it. */
  readonly status: number | null
  /** The signal that ended it; `null` if it exited. */
  readonly signal: NodeJS.Signals | null
  /** Why the lease was lost; `null` if the command had the lease until its end. */
  readonly lost: LeaseError | null
}

/**
 * Runs a command, with this process's standard streams, while holding the lease. Tells how the command ended.
 *
 * A small helper process stands between this process and the command. It has a deadline, which each renewal moves. The
 * command gets SIGTERM `grace` ms before the lease may be lost, and SIGKILL after that time, even if this process is stopped.
 * If this process is killed, the command gets SIGTERM at once. Command and helper run in sessions of their own, so the
 * signals of a terminal have to be passed on. Signals go to the command's whole process group; a process that has left the
 * group does not get them.
 *
 * Rejects as {@link hold} does, and with `ERR_LEASE_COMMAND` and the system's `errno` if the command cannot be run. It does
 * not work on Windows, which has no process groups.
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
  /** The descriptors of the guard that the command inherits. */
  readonly stdio: readonly ('inherit' | 'ignore' | number)[]
  order(order: GuardOrder): void
}

function startGuard(descriptors: readonly number[] = []): GuardHandle {
  const kept = descriptors.filter((fd) => fd > 2)
  // The lowest number that the command does not use. Node has it open in the guard, so spawning the command does not reuse
  // it.
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
    // The helper has no environment, because the caller's NODE_OPTIONS are for the command. The command's environment is sent
    // in the order.
    env: {},
    cwd: '/',
  })
  const channel = helper.stdio[channelNumber] as Duplex
  // Errors of the channel are ignored, because the exit of the helper is noticed.
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

/** The standard streams, and these descriptors, from 3 on, under their own numbers. */
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
        // Without the helper nothing would end the command in time, so it is killed now.
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
    // The group has already ended.
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
