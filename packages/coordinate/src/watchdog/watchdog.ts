import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Lock, acquire, currentProcess, tryAcquire } from '@howdah/lock'
import { messageOf } from '../caught.ts'
import type { Outcome } from '../subject.ts'
import type { Coordinated } from '../joining/coordinated.ts'
import { watchdogFailed } from '../errors.ts'
import { coverDescriptors } from '../launch/inheritable-descriptors.ts'
import { type Place, childUser, isThrowAway } from '../place.ts'
import { identityOf } from '../record/record.ts'
import { watchdogScript } from './watchdog-script.ts'

/** Who watches: a shell or, without flock(1) or /proc, a small Node process. */
export type WatchdogKind = 'sh' | 'node'

/** Where flock(1) and the rest of its tools are, whatever PATH our caller has. */
const systemPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'

/** How long a watchdog of a subject that is no more may take to go, in ms. */
const farewell = 10_000

/** What ensuring a watchdog depends on. */
export interface WatchdogOptions {
  /** A shell if that works, unless told otherwise. */
  readonly kind?: WatchdogKind | undefined
  /** The subject was created just now, so that a watchdog which is still there watches one that is no more. */
  readonly fresh?: boolean | undefined
}

/**
 * Makes sure that a watchdog is there. Under use.
 *
 * A watchdog that ends lets go of its own lock before it lets go of use; so while we hold use, the process that has the watchdog
 * lock stays.
 */
export async function ensureWatchdog<Options>(
  { subject, place }: Coordinated<Options>,
  options: WatchdogOptions = {},
): Promise<Outcome> {
  // As the use file: a subject that is created has it since then, and it may be a directory.
  const create = subject.create === undefined
  const lock = await watchdogLock(place, options.fresh === true, create)
  if (lock === null) return 'unmodified'
  try {
    await start(place, lock, options.kind ?? defaultKind())
  } catch (error) {
    lock.release()
    throw error
  }
  // Only the watchdog has it from now on.
  lock.detach()
  return 'modified'
}

async function watchdogLock(place: Place, fresh: boolean, create: boolean): Promise<Lock | null> {
  try {
    if (!fresh) return await tryAcquire(place.watchdog, { create })
    return await acquire(place.watchdog, { timeout: farewell, fair: false, create })
  } catch (error) {
    throw watchdogFailed(
      `its lock ${place.watchdog} cannot be acquired: ${messageOf(error)}`,
      error,
    )
  }
}

function defaultKind(): WatchdogKind {
  return existsSync('/proc/self/stat') ? 'sh' : 'node'
}

async function start(place: Place, lock: Lock, kind: WatchdogKind): Promise<void> {
  const report = await run(place, lock, kind, childUser(place))
  if (report === 'ready') return
  if (kind === 'sh' && (report === 'no-flock' || report === 'no-proc'))
    return start(place, lock, 'node')
  const user = childUser(place).uid
  // The program that it is may lie where the server's user cannot read; as ourselves it can be run.
  if (kind === 'node' && report === '' && user !== undefined) {
    if ((await run(place, lock, kind, {})) === 'ready') return
  }
  const who = user === undefined ? '' : ` as user ${user}`
  throw watchdogFailed(
    `${report === '' ? 'it ended without a word' : report}; it runs${who} by ${commandOf(place, kind)[0]} and must be able to read ${place.use}`,
  )
}

/** Spawns it and waits for its first line, or for its end and all that it said until then. */
async function run(
  place: Place,
  lock: Lock,
  kind: WatchdogKind,
  user: { uid?: number | undefined; gid?: number | undefined },
): Promise<string> {
  const [command, ...args] = commandOf(place, kind)
  using covered = coverDescriptors(['ignore', 'pipe', 'ignore', lock.fd])
  const child = spawn(command, args, {
    cwd: dirname(place.use),
    env: { PATH: [process.env['PATH'] ?? systemPath, systemPath].join(':'), ...loaderOf(kind) },
    detached: true,
    stdio: covered.stdio,
    ...user,
  })
  const { stdout } = child
  try {
    // It has no stream if it could not be started.
    const output = stdout ? text(stdout) : new Promise<never>(() => undefined)
    return (await Promise.race([output, failure(child)])).trim()
  } finally {
    stdout?.destroy()
    child.unref()
  }
}

/** Under Yarn's Plug'n'Play a program of Node finds packages only by the loader that `NODE_OPTIONS` names. */
function loaderOf(kind: WatchdogKind): { NODE_OPTIONS?: string } {
  const { NODE_OPTIONS } = process.env
  const isNeeded = kind === 'node' && process.versions['pnp'] !== undefined
  return isNeeded && NODE_OPTIONS !== undefined ? { NODE_OPTIONS } : {}
}

function failure(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', (error) => reject(watchdogFailed(`${error.message}; see the cause`, error)))
  })
}

function commandOf(place: Place, kind: WatchdogKind): [string, ...string[]] {
  const args = watchdogArguments(place)
  if (kind === 'sh')
    return [place.shell ?? '/bin/sh', '-c', watchdogScript, 'howdah-watchdog', ...args]
  const entry = fileURLToPath(new URL('./node-watchdog.js', import.meta.url))
  return [process.execPath, entry, ...args]
}

function watchdogArguments(place: Place): string[] {
  const { bootId, pidNamespace } = currentProcess()
  const thrown = isThrowAway(place) ? place.throwAway : undefined
  const here = dirname(place.use)
  return [
    pathFrom(here, place.use),
    pathFrom(here, place.record),
    identityOf(place),
    bootId ?? '',
    pidNamespace ?? '',
    pathFrom(here, place.watchdog),
    pathFrom(here, place.server),
    pathFrom(here, place.change),
    // Only if it was is it removed.
    thrown?.directory ?? '',
    pathFrom(here, thrown?.directory),
    pathFrom(here, thrown?.mark),
    pathFrom(here, thrown?.wreck),
    pathFrom(here, thrown?.last),
    pathFrom(here, thrown?.pidFile),
  ]
}

/** What lies in the directory is named from there, so that it is found when the directory has been moved. */
function pathFrom(directory: string, path: string | undefined): string {
  if (path === undefined) return ''
  const way = relative(directory, path)
  return way === '' ? '.' : way === '..' || way.startsWith('../') ? path : way
}
