import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { errno } from '@howdah/durable'
import type { Lock } from '@howdah/lock'
import type { Coordinated } from './coordinated.ts'
import { convertToExclusive } from './convert-to-exclusive.ts'
import { CoordinateError, doesNotExist, inUseElsewhere, meaninglessOption } from '../errors.ts'
import { Launcher } from '../launch/launcher.ts'
import { lastOneOut } from './leave.ts'
import { type Paths, checkPaths, isThrowAway } from '../paths.ts'
import { addWishes } from '../record/add-wishes.ts'
import { readRecord, recordNaming, removeRecord, writeRecord } from '../record/record.ts'
import { hasServer, isOfElsewhere, lockForServer } from '../launch/server-lock.ts'
import { stopRecorded } from '../ending/stop-recorded.ts'
import type { Outcome } from '../subject.ts'
import type { JoinOptions, StartOptions } from './join-options.ts'
import { Waiting } from './waiting.ts'
import { awaitEndOfWatchdog, ensureWatchdog } from '../watchdog/watchdog.ts'
import {
  awaitWatchdogElsewhere,
  isWatchedElsewhere,
  refuseWatchdogElsewhere,
} from '../watchdog/watchdog-elsewhere.ts'
import { withSuppressed } from '../with-suppressed.ts'

/** The result of joining: the shared use lock, and whether the server had to be started. */
export interface Joined {
  readonly use: Lock
  readonly started: Outcome
}

/** How many ms the processes of a killed container may take to end. */
const farewell = 1_000

/** How many times joining starts again if the subject is removed meanwhile. */
const attempts = 100

/** Takes change, takes use, starts the server if it does not run, and drops change. */
export async function join<Options>(
  coordinated: Coordinated<Options>,
  options: JoinOptions<Options>,
): Promise<Joined> {
  return joinFor(coordinated, options, (joined) => joined)
}

/**
 * Joins, pins the server, and drops use before change. There is nothing to leave, because leaving does not stop a pinned
 * server.
 *
 * A kill on the way leaves no server or a pinned one, because the record says `pinned` before the process becomes the server.
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
  checkPaths(coordinated.paths)
  const { linger = 0 } = options
  if (!(linger >= 0 && Number.isFinite(linger))) {
    throw meaninglessOption('linger', linger, 'a number of ms, 0 or more')
  }
  const waiting = new Waiting(options)
  const mustExist = options.ifExists === true
  for (let attempt = 0; attempt < attempts; attempt++) {
    const hasWaited = await awaitWatchdogElsewhere(coordinated.paths, waiting)
    const change = await takeChange(coordinated, waiting, mustExist)
    try {
      const joined = await joinUnderChange(coordinated, change, options, waiting)
      if (joined !== null) return action(joined)
    } catch (error) {
      // The server has died meanwhile, and its watchdog needs the locks in order to end.
      if (hasWaited || !(await isWatchedElsewhere(coordinated.paths))) throw error
    } finally {
      change.release()
    }
  }
  throw doesNotExist(coordinated.paths.use)
}

/** Takes the change lock. The file or directory that it locks is made, unless the subject has to exist. */
export async function takeChange<Options>(
  { subject, paths }: Coordinated<Options>,
  waiting: Waiting,
  mustExist: boolean,
): Promise<Lock> {
  const exists = await subject.exists()
  if (mustExist && !exists) throw doesNotExist(paths.use)
  // `prepare` also checks an existing path, which may not be one that can be locked or waited for.
  if (!exists) await subject.prepare?.()
  const isFile = subject.prepare === undefined
  for (let attempt = 0; ; attempt++) {
    try {
      return await waiting.lock({
        for: 'change',
        path: paths.change,
        mode: 'exclusive',
        create: isFile,
      })
    } catch (error) {
      if (isFile || attempt === attempts || !isNotFound(error)) throw error
      if (mustExist) throw doesNotExist(paths.use)
      await subject.prepare?.()
    }
  }
}

/** Joins under change, which stays held. `null`: the subject was removed meanwhile, so take change again. */
export async function joinUnderChange<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  options: JoinOptions<Options>,
  waiting: Waiting,
): Promise<Joined | null> {
  const { subject, paths } = coordinated
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
      await lastOneOut({ subject, paths }, change, use, { lingers: false })
    })
  }
}

/** Takes the use lock under change. Waits for a watchdog that is stopping the server. `null`: the use file is gone. */
export async function takeUse<Options>(
  { subject, paths }: Coordinated<Options>,
  mode: 'shared' | 'exclusive',
  waiting: Waiting,
): Promise<Lock | null> {
  try {
    const isOurs = subject.create === undefined
    return await waiting.lock({ for: 'use', path: paths.use, mode, create: isOurs })
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/** Creates the subject under change and before use is taken, if it does not exist. Gives whether it was created. */
export async function create<Options>(
  { subject, paths }: Coordinated<Options>,
  change: Lock,
  { start, throwAway = false }: StartOptions<Options>,
  mustExist: boolean,
): Promise<boolean> {
  if (await subject.exists()) return false
  if (mustExist) throw doesNotExist(paths.use)
  if (throwAway && paths.throwAway === undefined) {
    throw new CoordinateError(
      'ERR_COORDINATE_PATHS',
      `what ${paths.use} belongs to cannot be thrown away: the paths do not say what to remove; set throwAway`,
    )
  }
  if (subject.create !== undefined) {
    await subject.create(start, { throwAway, change })
    await awaitEndOfWatchdog(paths)
  }
  if (throwAway && paths.throwAway !== undefined && !isThrowAway(paths)) {
    closeSync(openSync(paths.throwAway.mark, 'wx', 0o644))
  }
  return true
}

/**
 * Makes sure, under change and use, that the server runs and has a watchdog.
 *
 * It waits for a server that a killed process began to start, and for a server that is stopping, so there are never two.
 */
export async function bringUp<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  options: StartOptions<Options>,
  waiting: Waiting,
  fresh: boolean,
  use: Lock | null = null,
): Promise<Outcome> {
  const { subject, paths } = coordinated
  const patience = performance.now() + farewell
  const runs = await waiting.until(
    'process',
    paths.record,
    'the server to come up or to go',
    async () => {
      try {
        if (await subject.running()) return true
        return (await hasServer(paths, subject)) ? null : false
      } catch (error) {
        if (errno(error) !== 'ERR_COORDINATE_ELSEWHERE' || waiting.remaining === 0) throw error
        if (performance.now() > patience) throw error
        return null
      }
    },
  )
  if (runs) {
    await keepWatch(coordinated, change, options)
    return 'unmodified'
  }
  if (use !== null) refuseUsersElsewhere(paths, use)
  await refuseWatchdogElsewhere(paths)
  // The lock file is made only for a subject without `create`; otherwise `create` has made it.
  if (subject.create === undefined) (await lockForServer(paths, true)).release()
  const linger = Math.max(readRecord(paths)?.linger ?? 0, Math.round(options.linger ?? 0))
  const { pinned = false, perishes = false } = options
  // Watchdog and server start in parallel; the launcher holds the server back until the watchdog is there. A subject that may
  // have to be thrown away is watched in any case. A pinned server needs no watchdog, unless its files may be removed.
  const watched =
    pinned && !perishes && !isThrowAway(paths)
      ? Promise.resolve('unmodified' as const)
      : ensureWatchdog(coordinated, { kind: options.watchdog })
  // A new subject may have to be thrown away, so its watchdog runs before anything else can go wrong.
  if (fresh) await watched
  const launcher = new Launcher(
    paths,
    change,
    { pinned, perishes, linger, joined: randomUUID() },
    watched,
  )
  try {
    const outcome = await subject.start(options.start, launcher)
    await watched
    return outcome
  } catch (error) {
    await launcher.settled()
    // If nothing was launched, the missing watchdog did not hold the server back, so the first error is the reason.
    const reason: unknown = await watched.then(
      () => error,
      (missing: unknown) => (launcher.launched ? missing : error),
    )
    throw await withSuppressed(reason, async () => {
      const record = readRecord(paths)
      if (!launcher.launched || record === null) return
      if (await stopRecorded(paths, record)) removeRecord(paths, change)
    })
  } finally {
    await launcher.settled()
  }
}

/**
 * Throws `ERR_COORDINATE_ELSEWHERE` if the last server ran in another container and still has users: their watchdog could not
 * see a server of ours.
 */
function refuseUsersElsewhere(paths: Paths, use: Lock): void {
  const record = readRecord(paths)
  if (!isOfElsewhere(record) || use.mode === 'exclusive') return
  if (!convertToExclusive(use)) throw inUseElsewhere(paths.change, record)
  use.downgrade()
}

/**
 * Records, under change and use, the wishes of a new user of our running server, and makes sure that it has a watchdog unless
 * it is pinned. A foreign server is left alone.
 */
export async function keepWatch<Options>(
  coordinated: Coordinated<Options>,
  change: Lock,
  wishes: Pick<StartOptions<Options>, 'linger' | 'perishes' | 'pinned' | 'watchdog'>,
): Promise<void> {
  const { subject, paths } = coordinated
  const record = recordNaming(paths, await subject.process())
  if (record === null) return
  const { linger, pinned, perishes } = addWishes(record, wishes)
  if (linger > 0) {
    writeRecord(paths, change, { ...record, pinned, perishes, linger, joined: randomUUID() })
  } else if (record.pinned !== pinned || record.perishes !== perishes) {
    writeRecord(paths, change, { ...record, pinned, perishes })
  }
  if (!pinned || perishes) await ensureWatchdog(coordinated, { kind: wishes.watchdog })
}

function isNotFound(error: unknown): boolean {
  return errno(error) === 'ERR_LOCK_NOT_FOUND'
}
