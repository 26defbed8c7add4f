import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errno } from '@howdah/durable'
import { type Lock, acquire, currentProcess, spawnedAs, tryAcquire } from '@howdah/lock'
import { messageOf } from '../caught.ts'
import type { Outcome } from '../subject.ts'
import type { Coordinated } from '../joining/coordinated.ts'
import { watchdogFailed } from '../errors.ts'
import { coverDescriptors } from '../launch/inheritable-descriptors.ts'
import { type Paths, childUser, isThrowAway } from '../paths.ts'
import { identityOf } from '../record/record.ts'
import { watchdogScript } from './watchdog-script.ts'

/** The kind of watchdog: a shell, or a small Node process on systems without flock(1) or /proc. */
export type WatchdogKind = 'sh' | 'node'

/** The PATH with flock(1) and the other tools of the script, whatever PATH the caller has. */
const systemPath = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'

/** How long the watchdog of a subject that was being made may take to end, in ms. */
const farewell = 10_000

/** Options of {@link ensureWatchdog}. */
export interface WatchdogOptions {
  /** By default a shell, if that works. */
  readonly kind?: WatchdogKind | undefined
}

/**
 * Makes sure, under use, that a watchdog runs.
 *
 * A watchdog that ends releases its own lock before it releases use. So while we hold use, a process that has the watchdog
 * lock stays.
 */
export async function ensureWatchdog<Options>(
  { subject, paths }: Coordinated<Options>,
  options: WatchdogOptions = {},
): Promise<Outcome> {
  // The lock file is made only for a subject without `create`; otherwise `create` has made it, and it may be a directory.
  const create = subject.create === undefined
  const lock = await tryAcquire(paths.watchdog, { create }).catch((error: unknown) => {
    throw lockFailed(paths, error)
  })
  if (lock === null) return 'unmodified'
  try {
    await start(paths, lock, options.kind ?? defaultKind())
  } catch (error) {
    lock.release()
    throw error
  }
  // From now on only the watchdog has the lock.
  lock.detach()
  return 'modified'
}

/**
 * Waits for the end of a watchdog that watched the server of this subject while the subject was being made elsewhere: its locks
 * have come along. It ends when it gets use, so call this under change and before anybody takes use.
 */
export async function awaitEndOfWatchdog(paths: Paths): Promise<void> {
  try {
    const options = { timeout: farewell, fair: false, create: false }
    const lock = await acquire(paths.watchdog, options)
    lock.release()
  } catch (error) {
    if (errno(error) !== 'ERR_LOCK_NOT_FOUND') throw lockFailed(paths, error)
  }
}

function lockFailed({ watchdog }: Paths, error: unknown): Error {
  return watchdogFailed(`its lock ${watchdog} cannot be acquired: ${messageOf(error)}`, error)
}

function defaultKind(): WatchdogKind {
  return existsSync('/proc/self/stat') ? 'sh' : 'node'
}

async function start(paths: Paths, lock: Lock, kind: WatchdogKind): Promise<void> {
  const report = await run(paths, lock, kind, childUser(paths))
  if (report === 'ready') return
  if (kind === 'sh' && (report === 'no-flock' || report === 'no-proc'))
    return start(paths, lock, 'node')
  const user = childUser(paths).uid
  // The server's user may not be allowed to read the watchdog's program, so it is tried again as this user.
  if (kind === 'node' && report === '' && user !== undefined) {
    if ((await run(paths, lock, kind, {})) === 'ready') return
  }
  const who = user === undefined ? '' : ` as user ${user}`
  throw watchdogFailed(
    `${report === '' ? 'it ended without a word' : report}; it runs${who} by ${commandOf(paths, kind)[0]} and must be able to read ${paths.use}`,
  )
}

/** Spawns the watchdog, and waits for its first line, or for its end and its whole output. */
async function run(
  paths: Paths,
  lock: Lock,
  kind: WatchdogKind,
  user: { uid?: number | undefined; gid?: number | undefined },
): Promise<string> {
  const [command, ...args] = commandOf(paths, kind)
  using covered = coverDescriptors(['ignore', 'pipe', 'ignore', lock.fd])
  const child = spawn(command, args, {
    cwd: dirname(paths.use),
    env: { PATH: [process.env['PATH'] ?? systemPath, systemPath].join(':'), ...loaderOf(kind) },
    detached: true,
    stdio: covered.stdio,
    ...spawnedAs(user),
  })
  const { stdout } = child
  try {
    // There is no stream if it could not be started.
    const output = stdout ? text(stdout) : new Promise<never>(() => undefined)
    return (await Promise.race([output, failure(child)])).trim()
  } finally {
    stdout?.destroy()
    child.unref()
  }
}

/** Under Yarn's Plug'n'Play, a Node program finds packages only by the loader in `NODE_OPTIONS`. */
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

function commandOf(paths: Paths, kind: WatchdogKind): [string, ...string[]] {
  const args = watchdogArguments(paths)
  if (kind === 'sh')
    return [paths.shell ?? '/bin/sh', '-c', watchdogScript, 'howdah-watchdog', ...args]
  const entry = fileURLToPath(new URL('./node-watchdog.js', import.meta.url))
  return [process.execPath, entry, ...args]
}

function watchdogArguments(paths: Paths): string[] {
  const { bootId, pidNamespace } = currentProcess()
  const thrown = isThrowAway(paths) ? paths.throwAway : undefined
  const here = dirname(paths.use)
  return [
    pathFrom(here, paths.use),
    pathFrom(here, paths.record),
    identityOf(paths),
    bootId ?? '',
    pidNamespace ?? '',
    pathFrom(here, paths.watchdog),
    pathFrom(here, paths.server),
    pathFrom(here, paths.change),
    // The directory is passed only if the subject may be thrown away.
    thrown?.directory ?? '',
    pathFrom(here, thrown?.directory),
    pathFrom(here, thrown?.mark),
    pathFrom(here, thrown?.wreck),
    pathFrom(here, thrown?.last),
    pathFrom(here, thrown?.pidFile),
  ]
}

/** Makes a path inside the directory relative, so that it is found even after the directory was moved. */
function pathFrom(directory: string, path: string | undefined): string {
  if (path === undefined) return ''
  const way = relative(directory, path)
  return way === '' ? '.' : way === '..' || way.startsWith('../') ? path : way
}
