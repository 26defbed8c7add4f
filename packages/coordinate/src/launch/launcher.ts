import type { Launch, LaunchRequest } from './launch.ts'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { finished } from 'node:stream/promises'
import { Duplex } from 'node:stream'
import { identifyProcess } from '@howdah/lock'
import { messageOf } from '../caught.ts'
import { launchFailed } from '../errors.ts'
import { coverDescriptors } from './inheritable-descriptors.ts'
import { type Place, childUser } from '../place.ts'
import type { ServerRecord } from '../record/server-record.ts'
import { type HeldChange, launchedNow, writeRecord } from '../record/record.ts'
import { lockForServer } from './server-lock.ts'

/**
 * Waits for the word, then becomes the server. Pid and start time survive exec, so they are known, and recorded, before
 * the word is given; and if the process that would give it dies, `read` sees the end of the file and nothing ever runs.
 */
const launcher = (unset: string, fourth: boolean): string =>
  `read -r HOWDAH_WORD <&3 || exit 125; unset HOWDAH_WORD ${unset}; ` +
  `exec "$@" 3<&${fourth ? '5' : '-'} 5<&- 6<&- 7<&- 8<&- 9<&-`

/** How what is launched is to be treated: a record without the process. */
type Wishes = Pick<ServerRecord, 'pinned' | 'perishes' | 'linger' | 'joined'>

/** The launch that one join hands to the subject. */
export class Launcher implements Launch {
  readonly #place: Place
  readonly #change: HeldChange
  readonly #about: Wishes
  readonly #watched: Promise<unknown>
  readonly #children: ChildProcess[] = []
  readonly #pending = new Set<Promise<unknown>>()

  /** `watched` resolves when the watchdog is there; no server runs before that. */
  constructor(place: Place, change: HeldChange, about: Wishes, watched: Promise<unknown>) {
    this.#place = place
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

  /** Resolves when no launch is half done, and lets this process end although what it launched runs. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending)
    for (const child of this.#children) child.unref()
  }

  async #spawn(request: LaunchRequest): Promise<ChildProcess> {
    const { command, cwd, signal, stillness = 0 } = request
    checkCommand(command)
    const child = await this.#start(request)
    await spawned(child, command)
    this.#children.push(child)
    const gate = child.stdio[3]
    if (!(gate instanceof Duplex)) throw launchFailed(command, 'it has no pipe to be told by')
    // A wrapper that is killed closes its end: that shows as its exit, and needs no second report.
    gate.on('error', () => undefined)
    try {
      const identity = identifyProcess(child.pid ?? 0)
      if (identity === null) throw launchFailed(command, `its shell, ${this.#shell}, ended at once`)
      writeRecord(this.#place, this.#change, {
        process: identity,
        signal,
        stillness,
        ...launchedNow(this.#place, request.leavesCwd === true ? null : cwd),
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
    // It closes its end as it becomes the server.
    await finished(gate).catch(() => undefined)
    return child
  }

  get #shell(): string {
    return this.#place.shell ?? '/bin/sh'
  }

  async #start(request: LaunchRequest): Promise<ChildProcess> {
    const lock = await lockForServer(this.#place)
    try {
      return this.#spawnWith(lock.fd, request)
    } finally {
      // Only the child has it from now on.
      lock.detach()
    }
  }

  #spawnWith(
    lock: number,
    { command, args, cwd, env, stdio, uid, gid }: LaunchRequest,
  ): ChildProcess {
    // Shells set these by themselves; the server gets only what was asked for.
    const unset = ['PWD', 'OLDPWD', 'SHLVL'].filter((name) => !(name in env)).join(' ')
    const [stdin, stdout, stderr, fourth] = stdio
    // The word comes by 3, and makes room for what the server is to have there.
    const inherited = [
      stdin,
      stdout,
      stderr,
      'pipe' as const,
      lock,
      ...(fourth === undefined ? [] : [fourth]),
    ]
    using covered = coverDescriptors(inherited)
    const user = childUser(this.#place)
    const options: SpawnOptions = {
      cwd,
      env,
      detached: true,
      stdio: covered.stdio,
      ...user,
      ...(process.getuid?.() === 0 && uid !== undefined && { uid }),
      ...(process.getuid?.() === 0 && gid !== undefined && { gid }),
    }
    const script = launcher(unset, fourth !== undefined)
    return spawn(this.#shell, ['-c', script, 'howdah-launch', command, ...args], options)
  }
}

/** Waits until the child is there; what the kernel says against it becomes `ERR_COORDINATE_LAUNCH`. */
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

/** A command given by its path is looked at beforehand, for a plain answer instead of a shell's exit status. */
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
