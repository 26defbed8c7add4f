import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { liveness, seeProcess } from '@howdah/lock'
import { unknownProcess } from '../errors.ts'
import { isOfHere } from '../record/is-of-here.ts'
import { endServer } from './end-server.ts'
import type { Place } from '../place.ts'
import type { ServerRecord } from '../record/server-record.ts'

/** After this many ms of patience a server is told to quit at once. */
const patience = 30_000

/**
 * Ends the process that the record names, and waits until it is really gone.
 *
 * SIGQUIT follows after 30 s, or when the server has stood still for as long as its record says. Returns `false`, and
 * signals nobody, if the process works in another directory than it should.
 */
export async function stopRecorded(
  { use }: Pick<Place, 'use'>,
  record: ServerRecord,
): Promise<boolean> {
  if (!isRecordedAlive(record)) return true
  if (record.worksHere && !worksIn(dirname(use), record.process.pid)) return false
  const { signal, stillness } = record
  await endServer(record.process, { signal, stillness: stillness * 1000, patience })
  return true
}

/**
 * Whether the recorded process runs. One of another pid namespace or of another boot does not.
 *
 * Throws `ERR_COORDINATE_UNKNOWN` if its pid is taken here and we may not see by which process.
 */
export function isRecordedAlive(record: ServerRecord | null): record is ServerRecord {
  if (record === null) return false
  const state = liveness(record.process)
  if (state === 'unknown' && isOfHere(record)) {
    throw unknownProcess(record.process.pid)
  }
  return state === 'alive'
}

function worksIn(directory: string, pid: number): boolean {
  try {
    const wanted = statSync(directory, { bigint: true })
    if (process.platform !== 'linux') {
      const seen = seeProcess(pid)
      const place = typeof seen === 'object' ? seen?.directory : null
      return place == null || place === `${wanted.dev}:${wanted.ino}`
    }
    const actual = statSync(`/proc/${pid}/cwd`, { bigint: true })
    return wanted.ino === actual.ino && wanted.dev === actual.dev
  } catch {
    return true // Removed, or somebody else's: its start time has to do.
  }
}
