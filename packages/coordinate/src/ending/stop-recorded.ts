import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { liveness, seeProcess } from '@howdah/lock'
import { unknownProcess } from '../errors.ts'
import { isMoved } from '../record/is-moved.ts'
import { isOfHere } from '../record/is-of-here.ts'
import { endServer } from './end-server.ts'
import type { Paths } from '../paths.ts'
import type { ServerRecord } from '../record/server-record.ts'

/** A server that has not ended after so many ms gets SIGQUIT. */
const patience = 30_000

/**
 * Ends the recorded process, and waits until it is gone.
 *
 * SIGQUIT follows after 30 s, or after the server has stood still for as long as its record says; it is sent at once if the
 * server's directory was moved. Returns `false`, without
 * sending a signal, if the process works in another directory than the recorded server.
 */
export async function stopRecorded(
  { use }: Pick<Paths, 'use'>,
  record: ServerRecord,
): Promise<boolean> {
  if (!isRecordedAlive(record)) return true
  if (record.worksHere && !worksIn(dirname(use), record.process.pid)) return false
  const { stillness } = record
  const signal = isMoved(record, dirname(use)) ? 'SIGQUIT' : record.signal
  await endServer(record.process, { signal, stillness, patience })
  return true
}

/**
 * Whether the recorded process runs. A process of another pid namespace or of another boot counts as not running.
 *
 * Throws `ERR_COORDINATE_UNKNOWN` if its pid is in use here but we cannot see by which process.
 */
export function isRecordedAlive(record: ServerRecord | null): record is ServerRecord {
  if (record === null) return false
  const state = liveness(record.process)
  if (state === 'unknown' && isOfHere(record)) {
    throw unknownProcess(record.process.pid)
  }
  return state === 'alive'
}

/** Whether a process works in a directory, or may do so for all that the system tells. */
export function worksIn(directory: string, pid: number): boolean {
  try {
    const wanted = statSync(directory, { bigint: true })
    if (process.platform !== 'linux') {
      const seen = seeProcess(pid)
      const actual = typeof seen === 'object' ? seen?.directory : null
      return actual == null || actual === `${wanted.dev}:${wanted.ino}`
    }
    const actual = statSync(`/proc/${pid}/cwd`, { bigint: true })
    return wanted.ino === actual.ino && wanted.dev === actual.dev
  } catch {
    return true // The directory was removed, or we cannot look at it. The start time has to be enough.
  }
}
