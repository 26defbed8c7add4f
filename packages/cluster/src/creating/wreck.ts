import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { acquire } from '@howdah/lock'
import {
  DataDirectory,
  emptyDirectory,
  isStaging,
  type Removal,
  takeBackAbandoned,
  writeOwnFile,
} from '@howdah/data-directory'
import { stopPostmaster } from '../running/stop.ts'

/** Sets the marker. Until it is removed, the directory does not count as a cluster, whatever its content is. */
export async function markWreck(
  directory: DataDirectory,
  options?: { durable?: boolean | undefined },
): Promise<void> {
  const text = 'A cluster is being made or removed here; until that is done, there is none.\n'
  await writeOwnFile(directory.wreck, text, null, options)
}

/**
 * Removes the files of an interrupted creation or destruction. Without a marker nothing is removed. The directory is reached
 * by its change lock.
 */
export async function clearWreck(directory: DataDirectory, removal?: Removal): Promise<void> {
  if (!(await directory.has(directory.wreck))) return
  await endCreation(directory, removal)
  await emptyDirectory(directory.here, (name) => directory.file(name) === directory.wreck)
  await rm(directory.wreck, { force: true })
}

/** The directories inside it in which a cluster is being made, or was being made when its creator was killed. */
export async function stagingsOf(directory: DataDirectory): Promise<string[]> {
  const names = await readdir(directory.here)
  return names.filter(isStaging).map((name) => join(directory.path, name))
}

/** Waits for the processes that a killed creator has left, and frees their shared memory. */
export async function endCreation(directory: DataDirectory, removal?: Removal): Promise<void> {
  for (const staging of await stagingsOf(directory)) await ended(staging, removal)
}

/**
 * Waits for the processes that a killed creator has left: an initdb holds the lock on its directory for as long as it runs,
 * and a server that recovers a restored cluster is stopped by its watchdog, or else by us.
 */
async function ended(staging: string, removal: Removal | undefined): Promise<void> {
  const inside = new DataDirectory(staging)
  for (const path of [staging, inside.file('global'), inside.versionFile]) {
    if (!(await inside.has(path))) continue
    const lock = await acquire(path, { fair: false, timeout: 60_000, create: false })
    lock.release()
  }
  await stopPostmaster(inside, { shutdown: 'immediate' })
  await takeBackAbandoned(inside, removal)
}
