import type { Launch, LaunchRequest } from './launch.ts'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { finished } from 'node:stream/promises'
import { Duplex } from 'node:stream'
import { identifyProcess, spawnedAs } from '@howdah/lock'
import { messageOf } from '../caught.ts'
import { launchFailed } from '../errors.ts'
import { coverDescriptors } from './inheritable-descriptors.ts'
import { type Paths, childUser } from '../paths.ts'
import type { ServerRecord } from '../record/server-record.ts'
import { type HeldChange, launchedNow, writeRecord } from '../record/record.ts'
import { lockForServer } from './server-lock.ts'

/**
 * Waits for a line on descriptor 3, then becomes the server by exec. Pid and start time survive exec, so they are recorded
 * before the line is sent. If the sending process dies, `read` sees the end of the file and no server ever runs.
 */
const launcher = (unset: string, fourth: boolean): string =>
  `read -r HOWDAH_WORD <&3 || exit 125; unset HOWDAH_WORD ${unset}; ` +
  `exec "$@" 3<&${fourth ? '5' : '-'} 5<&- 6<&- 7<&- 8<&- 9<&-`

/** How to treat the launched server: a record without the process. */
type Wishes = Pick<ServerRecord, 'pinned' | 'perishes' | 'linger' | 'joined'>

/** The `Launch` that a join passes to the subject. */
export class Launcher implements Launch {
  readonly #paths: Paths
  readonly #change: HeldChange
  readonly #about: Wishes
  readonly #watched: Promise<unknown>
  readonly #children: ChildProcess[] = []
  readonly #pending = new Set<Promise<unknown>>()

  /** `watched` resolves when the watchdog runs; no server runs before that. */
  constructor(paths: Paths, change: HeldChange, about: Wishes, watched: Promise<unknown>) {
    this.#paths = paths
    this.#change = change
    this.#about = about
    this.#watched = watched
    this.#pending.add(watched)
    // `spawn` reports the failure.
    watched.catch(() => undefined)
  }

  /** Whether anything was launched. */
  get launched(): boolean {
    return this.#children.length > 0
  }

  async spawn(request: LaunchRequest): Promise<ChildProcess> {
    const launching = this.#spawn(request)
    this.#pending.add(launching)
    try {
      return await launching
    } finally {
      this.#pending.delete(launching)
    }
  }

  /** Resolves when every launch has succeeded or failed. Then a running server does not keep this process alive. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending)
    for (const child of this.#children) child.unref()
  }

  async #spawn(request: LaunchRequest): Promise<ChildProcess> {
    const { command, cwd, signal, stillness = 0, boundTo = null } = request
    checkCommand(command)
    const child = await this.#start(request)
    await spawned(child, command)
    this.#children.push(child)
    const gate = child.stdio[3]
    if (!(gate instanceof Duplex)) throw launchFailed(command, 'it has no pipe to be told by')
    // If the wrapper is killed, the pipe breaks. Its exit reports that already.
    gate.on('error', () => undefined)
    try {
      const identity = identifyProcess(child.pid ?? 0)
      if (identity === null) throw launchFailed(command, `its shell, ${this.#shell}, ended at once`)
      writeRecord(this.#paths, this.#change, {
        process: identity,
        signal,
        stillness,
        boundTo,
        ...launchedNow(this.#paths, request.leavesCwd === true ? null : cwd),
        ...this.#about,
      })
      await this.#watched
    } catch (error) {
      gate.destroy()
      await exited(child)
      throw error
    }
    gate.end('go\n')
    gate.resume()
    // The wrapper closes its end of the pipe when it becomes the server.
    await finished(gate).catch(() => undefined)
    return child
  }

  get #shell(): string {
    return this.#paths.shell ?? '/bin/sh'
  }

  async #start(request: LaunchRequest): Promise<ChildProcess> {
    const lock = await lockForServer(this.#paths)
    try {
      return this.#spawnWith(lock.fd, request)
    } finally {
      // From now on only the child has the lock.
      lock.detach()
    }
  }

  #spawnWith(
    lock: number,
    { command, args, cwd, env, stdio, uid, gid }: LaunchRequest,
  ): ChildProcess {
    // Shells set these variables by themselves; the server gets only the requested environment.
    const unset = ['PWD', 'OLDPWD', 'SHLVL'].filter((name) => !(name in env)).join(' ')
    const [stdin, stdout, stderr, fourth] = stdio
    // The line arrives on descriptor 3, which is then replaced by the server's own descriptor 3.
    const inherited = [
      stdin,
      stdout,
      stderr,
      'pipe' as const,
      lock,
      ...(fourth === undefined ? [] : [fourth]),
    ]
    using covered = coverDescriptors(inherited)
    const user = childUser(this.#paths)
    const asked = process.getuid?.() === 0 ? { uid, gid } : {}
    const options: SpawnOptions = {
      cwd,
      env,
      detached: true,
      stdio: covered.stdio,
      ...spawnedAs(user),
      ...spawnedAs(asked),
    }
    const script = launcher(unset, fourth !== undefined)
    return spawn(this.#shell, ['-c', script, 'howdah-launch', command, ...args], options)
  }
}

/** Waits until the child runs. Turns an error of the kernel into `ERR_COORDINATE_LAUNCH`. */
async function spawned(child: ChildProcess, command: string): Promise<void> {
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw launchFailed(command, `${messageOf(error)}; see the cause`, error)
  }
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Checks a command that is given by its path, because an error says more than a shell's exit status. */
function checkCommand(command: string): void {
  if (!command.startsWith('/')) return
  try {
    accessSync(command, constants.X_OK)
  } catch (error) {
    throw launchFailed(
      command,
      'it does not exist or may not be executed; install it, or correct the path',
      error,
    )
  }
}
