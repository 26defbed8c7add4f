import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { spawnedAs } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import { serverEnvironment } from './environment.ts'
import { lendName, refuseNameless } from './lend-name.ts'
import { reach } from './reach.ts'
import type { ServerUser } from './server-user.ts'
import { HeldDirectory } from '../tree/held-directory.ts'

/** The result of running a program. */
export interface ProgramResult {
  readonly succeeded: boolean
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs one of the server's programs to its end, as the server's user and in a server's environment.
 *
 * `args` gets the name by which the program reaches its directory, and the number that `keeps` has in the program.
 */
export async function runServerProgram(
  runtime: Runtime,
  program: string,
  options: {
    user: ServerUser | null
    path: string
    args: (path: string, kept: number) => string[]
    input?: string | undefined
    /** A descriptor that the program and its children keep open while they run. */
    keeps?: number | undefined
    /** A script for the shell that runs the program, `"$0" "$@"`, in a process group of its own. */
    script?: string | undefined
    /** Ends the program with SIGTERM, and with it its group. After its end the call rejects with the signal's reason. */
    signal?: AbortSignal | undefined
  },
): Promise<ProgramResult> {
  const { user, path, args, input = '', keeps, script, signal } = options
  signal?.throwIfAborted()
  using way = reach(path, user)
  const words = args(way.argument, 3 + way.descriptors.length)
  const needsName = program === 'initdb' || words.includes('--single')
  // initdb needs an empty directory, so the lent names lie beside it. Both places may be reached by descriptors, ours and the
  // program's own.
  const where = program === 'initdb' ? '/..' : ''
  using held = needsName ? HeldDirectory.follow(`${path}${where}`) : null
  await using name =
    held === null
      ? null
      : await lendName({ path: held.path, argument: `${way.argument}${where}` }, user)
  const [command = '', ...more] = [
    ...(script === undefined ? [] : ['/bin/sh', '-c', script]),
    runtime.program(program),
    ...words,
  ]
  const child = spawn(command, more, {
    cwd: way.cwd,
    detached: script !== undefined,
    env: { ...serverEnvironment(runtime.bindir), ...name?.env },
    ...(user !== null && spawnedAs(user)),
    stdio: ['pipe', 'pipe', 'pipe', ...way.descriptors, ...(keeps === undefined ? [] : [keeps])],
  }) as ChildProcessWithoutNullStreams
  // If it could not be started, this rejects; there are no streams then.
  await once(child, 'spawn')
  // It is not a separate error if a program ends without reading its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const end = () => {
    if (script === undefined) child.kill('SIGTERM')
    else if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  }
  signal?.addEventListener('abort', end)
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]).finally(() => signal?.removeEventListener('abort', end))
  if (status !== 0) signal?.throwIfAborted()
  if (status !== 0 && needsName) refuseNameless(path, stderr, user)
  return { succeeded: status === 0, stdout, stderr }
}
