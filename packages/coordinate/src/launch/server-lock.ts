import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type Lock, acquire, currentProcess } from '@howdah/lock'
import { inUseElsewhere, timedOut } from '../errors.ts'
import type { Paths } from '../paths.ts'
import type { ServerRecord } from '../record/server-record.ts'
import { isOfHere } from '../record/is-of-here.ts'
import { readRecord } from '../record/record.ts'
import { isRecordedAlive } from '../ending/stop-recorded.ts'
import type { Subject } from '../subject.ts'
import { isHeld } from './is-held.ts'

/** The paths of the server's lock and of the record. */
export type Served = Pick<Paths, 'change' | 'record' | 'server'>

/** The descriptor by which a server, and every process that it makes, holds the lock on `paths.server`. */
export const serverLockDescriptor = 4

/**
 * Whether the server's lock is held: then a process of a server that was launched with these paths lives, in this or another
 * container. The kernel frees the lock with the last process that has inherited it.
 */
export async function isServed({ server }: Pick<Paths, 'server'>): Promise<boolean> {
  return await isHeld(server, 'shared')
}

/**
 * Throws `ERR_COORDINATE_ELSEWHERE` if a server lives that cannot be judged from here: its lock is held, and the record
 * names no process of this pid namespace.
 *
 * It does not throw if the record names a process of this pid namespace: that process lives here, or it was killed and its
 * children, which are also here, are still ending.
 */
export async function refuseUnseen(paths: Served): Promise<void> {
  if (await isUnseen(paths)) throw inUseElsewhere(paths.change, readRecord(paths))
}

/** Whether a server lives that cannot be judged from here; see {@link refuseUnseen}. */
export async function isUnseen(paths: Served): Promise<boolean> {
  const end = performance.now() + ending
  for (;;) {
    if (!(await isServed(paths)) || isOfHere(readRecord(paths))) return false
    if (performance.now() > end) return true
    await sleep(10)
  }
}

/** How many ms a server that was just stopped may take to free its lock, and a launched server to be recorded. */
const ending = 300

/** Whether the recorded process belongs to this kernel but to another pid namespace, that is, to another container. */
export function isOfElsewhere(record: ServerRecord | null): boolean {
  return record !== null && !isOfHere(record) && record.process.bootId === currentProcess().bootId
}

/** Whether the subject has a server, even one that is starting or stopping. Throws as {@link refuseUnseen} does. */
export async function hasServer(paths: Served, subject: Subject<never>): Promise<boolean> {
  if ((await subject.process()) !== null || isRecordedAlive(readRecord(paths))) return true
  await refuseUnseen(paths)
  return false
}

/**
 * Takes the lock that the server will inherit. Processes that ask whether a server lives hold it only for an instant.
 * Processes left by a killed server hold it until they have ended.
 */
export async function lockForServer(paths: Paths, create = false): Promise<Lock> {
  try {
    return await acquire(paths.server, { create, fair: false, timeout: patience })
  } catch (error) {
    if (errno(error) !== 'ERR_LOCK_TIMEOUT') throw error
    await refuseUnseen(paths)
    const waitedFor = 'the processes of its killed server to end'
    throw timedOut(paths.server, patience, waitedFor, error)
  }
}

/** How many ms the processes left by a killed server may take to end. */
const patience = 10_000
