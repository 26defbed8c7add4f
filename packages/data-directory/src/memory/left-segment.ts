import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { DataDirectory } from '../data-directory.ts'
import { findPostmaster } from '../server/postmaster.ts'
import { processesIn } from '../processes/postgres-processes.ts'
import { readPostmasterPid } from '../files/postmaster-pid.ts'
import { type Segment, segments } from './segments.ts'

/**
 * The segment of shared memory that a killed server has left: its `postmaster.pid` names the segment, and no process is
 * attached to it. `null` if there is none or it is unknown. The server may also be one that initdb ran.
 */
export async function leftSegment(
  directory: DataDirectory,
): Promise<{ readonly id: number } | null> {
  // Another check reports a file that cannot be read.
  const file = await readPostmasterPid(directory).catch(() => null)
  if (file === null || file.sharedMemory === null) return null
  if ((await findPostmaster(directory)) !== null) return null
  if ((await processesIn(directory.path)).length > 0) return null
  const { key, id } = file.sharedMemory
  const { uid } = await stat(directory.path)
  const isIt = (one: Segment) => one.id === id && one.key === key && one.uid === uid
  const segment = segments().find(isIt)
  if (segment === undefined || segment.attached > 0) return null
  // If the creator is in another pid namespace, the kernel shows 0.
  return segment.creator === file.pid || segment.creator === 0 ? { id } : null
}

/** Removes a segment by its id. Returns why that failed, or `null`. */
export async function removeSegment(id: number): Promise<string | null> {
  try {
    await promisify(execFile)('ipcrm', ['-m', String(id)])
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no ipcrm here; it is a part of util-linux' : message
  }
}
