import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { convertToExclusive } from './convert-to-exclusive.ts'
import { CoordinateError, doesNotExist, inUseElsewhere, meaninglessOption } from '../errors.ts'
import { Launcher } from '../launch/launcher.ts'
import { lastOneOut } from './leave.ts'
import { type Place, checkPlace, isThrowAway } from '../place.ts'
import { names, readRecord, removeRecord, writeRecord } from '../record/record.ts'
import { hasServer, isOfElsewhere, lockForServer } from '../launch/server-lock.ts'
import { stopRecorded } from '../ending/stop-recorded.ts'
import type { Outcome } from '../subject.ts'
import { type WaitOptions, Waiting } from './waiting.ts'
import { type WatchdogKind, ensureWatchdog } from '../watchdog/watchdog.ts'
import {
  awaitWatchdogElsewhere,
  isWatchedElsewhere,
  refuseWatchdogElsewhere,
} from '../watchdog/watchdog-elsewhere.ts'
import { withSuppressed } from '../with-suppressed.ts'

/** How a server is started, when joining starts it. */
export interface StartOptions<Options> extends WaitOptions {
  /** Handed to the subject's `create` and `start`. */
  readonly start: Options
  /** Destroy it after its last user. Only the process that creates it heeds this. */
  readonly throwAway?: boolean | undefined
  /** In ms: how long the server stays after its last user; the longest of all wishes counts. */
  readonly linger?: number | undefined
  /** Nobody stops it by leaving. If it is started now, it is pinned from its first instant. */
  readonly pinned?: boolean | undefined
  /**
   * Others may remove its files at any time, as `git worktree remove` does: then its server ends within a second, also if it
   * is used or pinned. It counts for as long as the server runs.
   */
  readonly perishes?: boolean | undefined
  /** The kind of watchdog: a shell if that works, unless told otherwise. */
  readonly watchdog?: WatchdogKind | undefined
}

/** How to join. */
export interface JoinOptions<Options> extends StartOptions<Options> {
  /** Throw `ERR_COORDINATE_DOES_NOT_EXIST` instead of creating it. */
  readonly ifExists?: boolean | undefined
}

/** What joining gives: the use lock, shared, and whether the server had to be started. */
export interface Joined {
  readonly use: Lock
  readonly started: Outcome
}

/** In ms: how long the processes of a container that was killed may take to go. */
const farewell = 1_000

/** How often a subject that vanishes while it is joined is tried anew. */
const attempts = 100

/** Takes change, takes use, starts what does not run, drops change. */
export async function join<Options>(
  coordinated: Coordinated<Options>,
  options: JoinOptions<Options>,
): Promise<Joined> {
  return joinFor(coordinated, options, (joined) => joined)
}

/**
 * Joins and pins, and drops use before change: nobody stops what is pinned, so that there is nothing to leave.
 *
 * A kill on the way leaves nothing that runs, or what was asked for: the record says `pinned` before the server is one.
 */
export async function startPinned<Options>(
  coordinated: Coordinated<Options>,
  options: JoinOptions<Options>,
): Promise<Outcome> {
  return joinFor(coordinated, { ...options, pinned: true }, ({ use, started }) => {
    use.release()
    return started
  })
}

/** Joins, and calls `action` with the result while change is still held. */
async function joinFor<Options, Result>(
  coordinated: Coordinated<Options>,
  options: JoinOptions<Options>,
  action: (joined: Joined) => Result,
): Promise<Result> {
  checkPlace(coordinated.place)
  const { linger = 0 } = options
  if (!(linger >= 0 && Number.isFinite(linger))) {
    throw meaninglessOption('linger', linger, 'a number of ms, 0 or more')
  }
  const waiting = new Waiting(options)
  const mustExist = options.ifExists === true
  for (let attempt = 0; attempt < attempts; attempt++) {
    const hasWaited = await awaitWatchdogElsewhere(coordinated.place, waiting)
    const change = await takeChange(coordinated, waiting, mustExist)
    try {
      const joined = await joinUnderChange(coordinated, change, options, waiting)
      if (joined !== null) return action(joined)
    } catch (error) {
      // The server has died since, and its watchdog needs the locks to end.
      if (hasWaited || !(await isWatchedElsewhere(coordinated.place))) throw error
    } finally {
      change.release()
    }
  }
  throw doesNotExist(coordinated.place.use)
}

/** The change lock. What it lies on is made, unless the subject has to exist. */
export async function takeChange<Options>(
  { subject, place }: Coordinated<Options>,
  waiting: Waiting,
  mustExist: boolean,
): Promise<Lock> {
  const exists = await subject.exists()
  if (mustExist && !exists) throw doesNotExist(place.use)
  // Even if there is something at the path: it may not be what is to be locked, or waited for.
  if (!exists) await subject.prepare?.()
  const isFile = subject.prepare === undefined
  for (let attempt = 0; ; attempt++) {
    try {
      return await waiting.lock({
        for: 'change',
        path: place.change,
        mode: 'exclusive',
        create: isFile,
      })
    } catch (error) {
      if (isFile || attempt === attempts || !isNotFound(error)) throw error
      if (mustExist) throw doesNotExist(place.use)
      await subject.prepare?.()
    }
  }
}

/** Joins under change, which stays held. `null`: the subject was removed meanwhile; take change anew. */
export async function joinUnderChange<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  options: JoinOptions<Options>,
  waiting: Waiting,
): Promise<Joined | null> {
  const { subject, place } = coordinated
  const fresh = await create(coordinated, change, options, options.ifExists === true)
  const use = await takeUse(coordinated, 'shared', waiting)
  if (use === null) return null
  try {
    if (!change.isCurrent() || !(await subject.exists())) {
      use.release()
      return null
    }
    return { use, started: await bringUp(coordinated, change, options, waiting, fresh, use) }
  } catch (error) {
    throw await withSuppressed(error, async () => {
      await lastOneOut({ subject, place }, change, use, { lingers: false })
    })
  }
}

/** The use lock under change, waiting for a watchdog that is just stopping. `null`: its file is gone. */
export async function takeUse<Options>(
  { subject, place }: Coordinated<Options>,
  mode: 'shared' | 'exclusive',
  waiting: Waiting,
): Promise<Lock | null> {
  try {
    const isOurs = subject.create === undefined
    return await waiting.lock({ for: 'use', path: place.use, mode, create: isOurs })
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/** Brings the subject into being, if it is not. Under change. Whether it did. */
export async function create<Options>(
  { subject, place }: Coordinated<Options>,
  change: Lock,
  { start, throwAway = false }: StartOptions<Options>,
  mustExist: boolean,
): Promise<boolean> {
  if (await subject.exists()) return false
  if (mustExist) throw doesNotExist(place.use)
  if (throwAway && place.throwAway === undefined) {
    throw new CoordinateError(
      'ERR_COORDINATE_PLACE',
      `what ${place.use} belongs to cannot be thrown away: the place does not say what to remove; set place.throwAway`,
    )
  }
  await subject.create?.(start, { throwAway, change })
  if (throwAway && place.throwAway !== undefined && !isThrowAway(place)) {
    closeSync(openSync(place.throwAway.mark, 'wx', 0o644))
  }
  return true
}

/**
 * Makes sure that the server runs and that a watchdog is there. Under change and use.
 *
 * A server that somebody began to start and did not live to see ready is waited for, as is one that goes down: there
 * are never two.
 */
export async function bringUp<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  options: StartOptions<Options>,
  waiting: Waiting,
  fresh: boolean,
  use: Lock | null = null,
): Promise<Outcome> {
  const { subject, place } = coordinated
  const patience = performance.now() + farewell
  const runs = await waiting.until(
    'process',
    place.record,
    'the server to come up or to go',
    async () => {
      try {
        if (await subject.running()) return true
        return (await hasServer(place, subject)) ? null : false
      } catch (error) {
        if (errno(error) !== 'ERR_COORDINATE_ELSEWHERE' || waiting.left === 0) throw error
        if (performance.now() > patience) throw error
        return null
      }
    },
  )
  if (runs) {
    await keepWatch(coordinated, change, options)
    return 'unmodified'
  }
  if (use !== null) refuseUsersElsewhere(place, use)
  await refuseWatchdogElsewhere(place)
  // As the use file: a subject that is created has it since then.
  if (subject.create === undefined) (await lockForServer(place, true)).release()
  const linger = Math.max(readRecord(place)?.linger ?? 0, Math.round(options.linger ?? 0))
  const { pinned = false, perishes = false } = options
  // The two come up side by side; the launcher holds the server back until the watchdog is there. What was made just
  // now may be one to be thrown away, and is watched first. What is pinned to stay has nobody to be watched for, unless its
  // files may be removed.
  const watched =
    pinned && !perishes && !isThrowAway(place)
      ? Promise.resolve('unmodified' as const)
      : ensureWatchdog(coordinated, { kind: options.watchdog, fresh })
  if (fresh) await watched
  const launcher = new Launcher(
    place,
    change,
    { pinned, perishes, linger, joined: randomUUID() },
    watched,
  )
  try {
    const state = await subject.start(options.start, launcher)
    await watched
    return state
  } catch (error) {
    await launcher.settled()
    // If nothing was launched, the server was not held back by a missing watchdog: something else is wrong first.
    const reason: unknown = await watched.then(
      () => error,
      (missing: unknown) => (launcher.launched ? missing : error),
    )
    throw await withSuppressed(reason, async () => {
      const record = readRecord(place)
      if (!launcher.launched || record === null) return
      if (await stopRecorded(place, record)) removeRecord(place, change)
    })
  } finally {
    await launcher.settled()
  }
}

/**
 * Throws `ERR_COORDINATE_ELSEWHERE` if the last server was one of another container, and users of it are left: they have
 * a watchdog that could not see a server of ours.
 */
function refuseUsersElsewhere(place: Place, use: Lock): void {
  const record = readRecord(place)
  if (!isOfElsewhere(record) || use.mode === 'exclusive') return
  if (!convertToExclusive(use)) throw inUseElsewhere(place.change, record)
  use.downgrade()
}

/**
 * Records what is wanted of a running server of ours, and makes sure that it has a watchdog unless it is pinned. Under change
 * and use. A foreign server is left alone.
 */
export async function keepWatch<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  wishes: Pick<StartOptions<Options>, 'linger' | 'perishes' | 'pinned' | 'watchdog'>,
): Promise<void> {
  const { subject, place } = coordinated
  const record = readRecord(place)
  if (!names(record, await subject.process())) return
  const linger = Math.max(record.linger, Math.round(wishes.linger ?? 0))
  const pinned = record.pinned || wishes.pinned === true
  const perishes = record.perishes || wishes.perishes === true
  if (linger > 0) {
    writeRecord(place, change, { ...record, pinned, perishes, linger, joined: randomUUID() })
  } else if (record.pinned !== pinned || record.perishes !== perishes) {
    writeRecord(place, change, { ...record, pinned, perishes })
  }
  if (!pinned || perishes) await ensureWatchdog(coordinated, { kind: wishes.watchdog })
}

function isNotFound(error: unknown): boolean {
  return errno(error) === 'ERR_LOCK_NOT_FOUND'
}
