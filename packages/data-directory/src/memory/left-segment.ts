import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { DataDirectory } from '../data-directory.ts'
import { findPostmaster } from '../server/postmaster.ts'
import { processesIn } from '../processes/postgres-processes.ts'
import { readPostmasterPid } from '../files/postmaster-pid.ts'
import { isKeyOf } from '../server/key-of.ts'
import { type Segment, segments } from './segments.ts'

/** A segment of System V shared memory without a server. */
export interface LeftSegment {
  readonly id: number
}

/**
 * The segment of shared memory that a killed server has left: its `postmaster.pid` names the segment, and no process is
 * attached to it. `null` if there is none or it is unknown. The server may also be one that initdb ran, but not one of another
 * directory, of which this one is a copy.
 */
export async function leftSegment(directory: DataDirectory): Promise<LeftSegment | null> {
  // Another check reports a file that cannot be read.
  const file = await readPostmasterPid(directory).catch(() => null)
  if (file === null || file.sharedMemory === null) return null
  if ((await findPostmaster(directory)) !== null) return null
  // Processes that are ending do nothing any more, and whether they are attached still is seen below.
  if ((await processesIn(directory.path)).some(({ isEnding }) => isEnding !== true)) return null
  const { key, id } = file.sharedMemory
  if (isKeyOf(directory, key) === false) return null
  const { uid } = await stat(directory.path)
  const isIt = (one: Segment) => one.id === id && one.key === key && one.uid === uid
  const segment = segments().find(isIt)
  if (segment === undefined || segment.attached > 0) return null
  // If the creator is in another pid namespace, the kernel shows 0.
  return segment.creator === file.pid || segment.creator === 0 ? { id } : null
}

/**
 * Removes a segment by its id, if it is still there and no process is attached to it. Returns why that failed, or `null`.
 *
 * PostgreSQL itself removes the segment of a killed server only if the next server gets the same key. The next server gets
 * another key if the killed server's first key was taken and is free now. Before PostgreSQL 13 all servers try the same key first.
 */
export async function removeSegment(left: LeftSegment | null): Promise<string | null> {
  if (left === null) return null
  if (!segments().some(({ id, attached }) => id === left.id && attached === 0)) return null
  try {
    await promisify(execFile)('ipcrm', ['-m', String(left.id)])
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no ipcrm here; it is a part of util-linux' : message
  }
}
