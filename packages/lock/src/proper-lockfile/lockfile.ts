import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Lock } from '../lock.ts'
import { claim, isHeld, type Found } from './claim.ts'
import { LockfileError, asLockfileError, heldBySomebody, locked } from './errors.ts'
import { HeldLockfile } from './held-lockfile.ts'
import {
  settingsOf,
  type CheckOptions,
  type LockOptions,
  type Settings,
  type UnlockOptions,
} from './options.ts'
import { pauseUntilFree, pauses, retryOptionsOf } from './retrying.ts'
import {
  changedAt,
  drive,
  driveSync,
  pause,
  realpath,
  removeDirectory,
  type Steps,
} from './steps.ts'

/**
 * Locks a file, and gives the function that releases it.
 *
 * Rejects with `ELOCKED` if somebody still holds the lock after all `retries`; with `ENOENT` if the file is missing, or its
 * directory if `realpath` is `false`; with `ENOTDIR` if another program's file is at the path of the lock file; or with
 * another code of the operating system.
 */
export async function lock(file: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const settings = settingsOf(options)
  const canonical = await drive(canonicalOf(file, settings), settings.fs)
  const held = await retrying(canonical, settings, options)
  return async () => releaseOf(held)
}

/** {@link lock}, synchronously. The option `retries` throws `ESYNC`. */
export function lockSync(file: string, options: LockOptions = {}): () => void {
  if ((retryOptionsOf(options.retries).retries ?? 0) > 0) {
    throw new LockfileError(
      'ESYNC',
      file,
      'Cannot use retries with lockSync; leave them out, or use lock',
    )
  }
  const settings = settingsOf(options)
  const canonical = driveSync(canonicalOf(file, settings), settings.fs)
  const taken = driveSync(taking(canonical, settings), settings.fs)
  if (taken === 'held') throw heldBySomebody(canonical, settings.lockfileOf(canonical))
  const held = hold(canonical, settings, options, taken)
  return () => releaseOf(held)
}

/** Releases a lock that this thread holds on a file. Rejects with `ENOTACQUIRED` if there is none. */
export async function unlock(file: string, options: UnlockOptions = {}): Promise<void> {
  const settings = settingsOf(options)
  releaseOf(find(await drive(canonicalOf(file, settings), settings.fs), options))
}

/** {@link unlock}, synchronously. */
export function unlockSync(file: string, options: UnlockOptions = {}): void {
  const settings = settingsOf(options)
  releaseOf(find(driveSync(canonicalOf(file, settings), settings.fs), options))
}

/** Whether somebody holds the lock on a file: this process, another, or a program that uses proper-lockfile. */
export async function check(file: string, options: CheckOptions = {}): Promise<boolean> {
  const settings = settingsOf(options)
  return drive(checking(file, settings), settings.fs)
}

/** {@link check}, synchronously. */
export function checkSync(file: string, options: CheckOptions = {}): boolean {
  const settings = settingsOf(options)
  return driveSync(checking(file, settings), settings.fs)
}

/** What proper-lockfile exports: the function `lock`, which has all the functions as properties. */
export const lockfile: typeof lock & Lockfile = Object.assign(lock, {
  lock,
  lockSync,
  unlock,
  unlockSync,
  check,
  checkSync,
})

interface Lockfile {
  readonly lock: typeof lock
  readonly lockSync: typeof lockSync
  readonly unlock: typeof unlock
  readonly unlockSync: typeof unlockSync
  readonly check: typeof check
  readonly checkSync: typeof checkSync
}

async function retrying(
  file: string,
  settings: Settings,
  options: LockOptions,
): Promise<HeldLockfile> {
  const retry = retryOptionsOf(options.retries)
  const started = performance.now()
  const delays = pauses(retry)
  let left = 0
  const path = settings.lockfileOf(file)
  for (;;) {
    // `null`: somebody holds the lock file by flock(2), and the kernel tells us when it is free.
    let refusal: unknown = null
    try {
      const taken = await drive(taking(file, settings), settings.fs)
      if (taken !== 'held') return hold(file, settings, options, taken)
    } catch (error) {
      refusal = error
    }
    if (left === 0) {
      const next = delays.next()
      if (next.done === true || performance.now() - started >= (retry.maxRetryTime ?? Infinity)) {
        throw refusal ?? heldBySomebody(file, path)
      }
      left = next.value
    }
    if (refusal === null && !retry.unref) {
      left = await pauseUntilFree(path, left)
    } else {
      await sleep(left, undefined, { ref: !retry.unref })
      left = 0
    }
  }
}

function hold(
  file: string,
  settings: Settings,
  { onCompromised = throwIt }: LockOptions,
  taken: Lock,
): HeldLockfile {
  const { update } = settings
  return new HeldLockfile(file, settings.lockfileOf(file), taken, { update, onCompromised })
}

function throwIt(error: LockfileError): never {
  throw error
}

function releaseOf(held: HeldLockfile): void {
  try {
    held.release()
  } catch (error) {
    throw asLockfileError(error, held.file)
  }
}

function find(file: string, { lockfilePath }: UnlockOptions): HeldLockfile {
  const held = HeldLockfile.find(file, lockfilePath && resolve(lockfilePath))
  if (held !== undefined) return held
  throw new LockfileError(
    'ENOTACQUIRED',
    file,
    `Lock is not acquired/owned by you: this thread holds none on ${file}`,
  )
}

function* canonicalOf(file: string, settings: Settings): Steps<string> {
  return settings.realpath ? yield* realpath(file) : resolve(file)
}

/**
 * Tries once. `'held'`: somebody has the lock file by flock(2). Throws `ELOCKED` if another program has made a fresh one, or
 * the error because of which locking does not work.
 */
function* taking(file: string, settings: Settings): Steps<Lock | 'held'> {
  const path = settings.lockfileOf(file)
  for (let last = false; ; last = true) {
    const found = yield* claiming(file, path)
    if (found === 'held' || found instanceof Lock) return found
    const foreign = found.foreign === 'file' ? 'a file' : 'a directory'
    const others = `${path} is ${foreign} that another program has made, such as proper-lockfile`
    if (last) throw locked(file, others)
    const changed = yield* changedAt(path)
    if (changed === null) continue
    const age = Date.now() - changed
    if (age <= settings.stale) {
      throw locked(file, `${others}, and was renewed ${age} ms ago`)
    }
    if (found.foreign === 'file') {
      throw new LockfileError(
        'ENOTDIR',
        file,
        `ENOTDIR: ${path} is not a lock file but a file with other content, which is left alone; give lockfilePath`,
      )
    }
    // By its time the directory was left by a program that has ended.
    yield* removeDirectory(path)
  }
}

/**
 * How often to try while another process is making, removing or looking at the lock file: the first tries without a pause,
 * the others after pauses of a millisecond.
 */
const rounds = { atOnce: 10, all: 1_000 }

function* claiming(file: string, path: string): Steps<Exclude<Found, 'again'>> {
  for (let round = 0; round < rounds.all; round++) {
    if (round >= rounds.atOnce) yield* pause()
    try {
      const found = claim(path)
      if (found !== 'again') return found
    } catch (error) {
      throw asLockfileError(error, file)
    }
  }
  const who = `a process that was stopped while it looked at ${path}, or made it`
  throw locked(file, who)
}

function* checking(file: string, settings: Settings): Steps<boolean> {
  const canonical = yield* canonicalOf(file, settings)
  const path = settings.lockfileOf(canonical)
  const changed = yield* changedAt(path)
  if (changed === null) return false
  try {
    const held = isHeld(path)
    if (held !== null) return held
  } catch (error) {
    throw asLockfileError(error, canonical)
  }
  return Date.now() - changed <= settings.stale
}
