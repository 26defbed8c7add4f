import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type Lock, acquire, currentProcess, tryAcquire } from '@howdah/lock'
import { inUseElsewhere, timedOut } from '../errors.ts'
import type { Place } from '../place.ts'
import type { ServerRecord } from '../record/server-record.ts'
import { isOfHere } from '../record/is-of-here.ts'
import { readRecord } from '../record/record.ts'
import { isRecordedAlive } from '../ending/stop-recorded.ts'
import type { Subject } from '../subject.ts'

/** Where the server's lock lies, and who is recorded to hold it. */
export type Served = Pick<Place, 'change' | 'record' | 'server'>

/** The descriptor by which a server, and every process that it makes, holds the lock on `place.server`. */
export const serverLockDescriptor = 4

/**
 * Whether a process of a server that was launched here lives, in whatever container: whether its lock is held. The kernel
 * frees it with the last process that has inherited it.
 *
 * The try is shared, so that two who ask at once do not take each other for a server.
 */
export async function isServed({ server }: Pick<Place, 'server'>): Promise<boolean> {
  try {
    const lock = await tryAcquire(server, { mode: 'shared', create: false })
    lock?.release()
    return lock === null
  } catch (error) {
    if (errno(error) === 'ERR_LOCK_NOT_FOUND') return false
    throw error
  }
}

/**
 * Throws `ERR_COORDINATE_ELSEWHERE` if a server lives that cannot be judged from here: its lock is held, and the record
 * names no process of this pid namespace.
 *
 * It does not throw if the record names one: that process lives here, or it was killed and its children, which are here,
 * still end.
 */
export async function refuseUnseen(place: Served): Promise<void> {
  if (await isUnseen(place)) throw inUseElsewhere(place.change, readRecord(place))
}

/** Whether a server lives that cannot be judged from here; see {@link refuseUnseen}. */
export async function isUnseen(place: Served): Promise<boolean> {
  const end = performance.now() + ending
  for (;;) {
    if (!(await isServed(place)) || isOfHere(readRecord(place))) return false
    if (performance.now() > end) return true
    await sleep(10)
  }
}

/** In ms: how long a server that was just stopped may take to free its lock, and one that is launched to be recorded. */
const ending = 300

/** Whether the record's process is one of this kernel and another pid namespace: a container. */
export function isOfElsewhere(record: ServerRecord | null): boolean {
  return record !== null && !isOfHere(record) && record.process.bootId === currentProcess().bootId
}

/** Whether the subject has a server, or one that comes up or goes down. Throws as {@link refuseUnseen} does. */
export async function hasServer(place: Served, subject: Subject<never>): Promise<boolean> {
  if ((await subject.process()) !== null || isRecordedAlive(readRecord(place))) return true
  await refuseUnseen(place)
  return false
}

/**
 * The lock that a server is to inherit. Nobody who asks whether a server lives holds it for longer than an instant; what
 * a killed server has left running, until it has ended.
 */
export async function lockForServer(place: Place, create = false): Promise<Lock> {
  try {
    return await acquire(place.server, { create, fair: false, timeout: patience })
  } catch (error) {
    if (errno(error) !== 'ERR_LOCK_TIMEOUT') throw error
    await refuseUnseen(place)
    const waitedFor = 'the processes of its killed server to end'
    throw timedOut(place.server, patience, waitedFor, error)
  }
}

/** In ms: how long what a killed server has left running may take to end. */
const patience = 10_000
