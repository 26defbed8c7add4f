import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exitStatus, statusOfSignal } from '../exit-status.ts'
import { forListener } from '../output/for-listener.ts'
import { stdioOf } from './inherited-descriptors.ts'
import type { Interruption, PassedSignal } from './interruption.ts'
import type { Io } from '../io.ts'
import { workingDirectory } from '../program/working-directory.ts'

/** A program to run in the foreground. */
export interface ChildRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<NodeJS.ProcessEnv>
  /** A Ctrl-C is one of its keys, and no wish to end. */
  readonly interactive?: boolean | undefined
  /** Descriptors that it gets under the same numbers, beside its three streams and what the caller had opened for it. */
  readonly descriptors?: readonly number[] | undefined
  /** Where it runs if the working directory was deleted: there by default, where many programs fail. */
  readonly refuge?: string | undefined
  /** Says why the program cannot be run. */
  onFailure(message: string): void
}

/**
 * Runs a program in the foreground, with our streams, in our process group, and answers with its exit status: its own,
 * 128 and the signal's number, 126 if it cannot be run, or 127 if it is not found.
 *
 * Signals are passed on to it, except those that a controlling terminal has sent to the whole process group already.
 */
export async function runChild(
  io: Io,
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
    if (code === 'ENOENT') request.onFailure(`howdah: ${request.command}: command not found`)
    else request.onFailure(`howdah: ${request.command}: cannot be run: ${message}`)
    return code === 'ENOENT' ? exitStatus.notFound : exitStatus.notRunnable
  }
}

/** Streams that are inherited are not even looked at: making them takes some milliseconds. */
function stdioFor({ inherit, stdin, stdout, stderr }: Io): ('inherit' | 'pipe' | number)[] {
  if (inherit) return ['inherit', 'inherit', 'inherit']
  return [stdin, stdout, stderr].map(({ fd }) => fd ?? 'pipe')
}

async function ended(child: ChildProcess, io: Io): Promise<number> {
  const piped = [copy(child.stdout, io.stdout), copy(child.stderr, io.stderr)]
  if (child.stdin !== null) {
    // A program need not read all that it is given.
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

/** Copies what a stream of the program says, if it has one; nothing is done about a reader who has gone away. */
async function copy(from: Readable | null, to: Writable): Promise<void> {
  if (from !== null) await pipeline(from, to, { end: false }).catch(() => undefined)
}

/** What a terminal, or a shell that has one, sends to the process group in its foreground. */
const ofTerminals: ReadonlySet<PassedSignal> = new Set(['SIGINT', 'SIGQUIT', 'SIGCONT', 'SIGWINCH'])

/** Whether there is a terminal that sends signals to our process group by itself. */
function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY))
    return true
  } catch {
    return false
  }
}
