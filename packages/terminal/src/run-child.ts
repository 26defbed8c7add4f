import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stdioOf } from '@howdah/durable'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import { forListener } from './for-listener.ts'
import type { Interruption, PassedSignal } from './interruption.ts'
import type { ProcessIo } from './process-io.ts'
import { workingDirectory } from './working-directory.ts'

/** A program to run in the foreground. */
export interface ChildRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** The program uses Ctrl-C as a key, so it does not ask to end. */
  readonly interactive?: boolean | undefined
  /**
   * More descriptors that it gets under the same numbers, besides its three streams and those that the caller opened for it.
   */
  readonly descriptors?: readonly number[] | undefined
  /**
   * The directory in which it runs if the working directory was deleted. By default it runs in the deleted one, where many
   * programs fail.
   */
  readonly refuge?: string | undefined
  /** Says why the program cannot be run. */
  onFailure(message: string): void
}

/**
 * Runs a program in the foreground, with our streams, in our process group. Returns its exit status, 128 plus the number of
 * the signal that ended it, 126 if it cannot be run, or 127 if it is not found.
 *
 * Passes signals on to it, except those that a controlling terminal has already sent to the whole process group.
 */
export async function runChild(
  io: ProcessIo,
  interruption: Interruption,
  request: ChildRequest,
): Promise<number> {
  interruption.signal.throwIfAborted()
  const { env, interactive = false, descriptors = [], refuge } = request
  const { command, args } = forListener(request.command, request.args, env)
  let child: ChildProcess | null = null
  const receive = (signal: PassedSignal) => {
    if (!ofTerminals.has(signal) || !hasControllingTerminal()) child?.kill(signal)
  }
  const run = async () => {
    child = spawn(command, args, {
      env: { ...env },
      cwd: workingDirectory(io) ?? refuge,
      stdio: [...stdioFor(io), ...stdioOf([...(io.descriptors ?? []), ...descriptors])],
    })
    return await ended(child, io)
  }
  try {
    return await interruption.during(receive, run, { count: !interactive })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') request.onFailure(`${request.command}: command not found`)
    else request.onFailure(`${request.command}: cannot be run: ${message}`)
    return code === 'ENOENT' ? exitStatus.notFound : exitStatus.notRunnable
  }
}

/** Does not touch inherited streams: creating their objects takes some milliseconds. */
function stdioFor({ inherit, stdin, stdout, stderr }: ProcessIo): ('inherit' | 'pipe' | number)[] {
  if (inherit) return ['inherit', 'inherit', 'inherit']
  return [stdin, stdout, stderr].map(({ fd }) => fd ?? 'pipe')
}

async function ended(child: ChildProcess, io: ProcessIo): Promise<number> {
  const piped = [copy(child.stdout, io.stdout), copy(child.stderr, io.stderr)]
  if (child.stdin !== null) {
    // A program need not read all of its input.
    child.stdin.on('error', () => undefined)
    io.stdin.pipe(child.stdin)
  }
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 0) : statusOfSignal(signal)),
    )
  })
  if (child.stdin !== null) io.stdin.unpipe(child.stdin)
  await Promise.all(piped)
  return status
}

/** Copies a stream of the program, if it has one. Ignores that our reader has gone away. */
async function copy(from: Readable | null, to: Writable): Promise<void> {
  if (from !== null) await pipeline(from, to, { end: false }).catch(() => undefined)
}

/** The signals that a terminal, or its shell, sends to the foreground process group. */
const ofTerminals: ReadonlySet<PassedSignal> = new Set(['SIGINT', 'SIGQUIT', 'SIGCONT', 'SIGWINCH'])

/** Whether a terminal sends signals to our process group. */
function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY))
    return true
  } catch {
    return false
  }
}
