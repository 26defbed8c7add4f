import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Lock, tryAcquire } from '@howdah/lock'
import { DataDirectory, emptyDirectory, removeTree, temporaryOf } from '@howdah/data-directory'
import { statusOf } from '@howdah/known-clusters'
import { destroyCluster } from './destroy.ts'
import { isDiscarded } from './discard.ts'
import { isSpare, sweepSpare } from './spare.ts'
import { stopPostmaster } from '../running/stop.ts'
import { temporaryPlaces } from './temporary-place.ts'
import { stagingsOf } from './wreck.ts'

/**
 * Removes what is left of this user's temporary clusters, in all places, and resolves to the number of clusters removed.
 *
 * The next temporary cluster does so for its own place; call this if you do not want to wait for one.
 */
export async function sweepTemporary(): Promise<number> {
  let removed = 0
  for (const place of await temporaryPlaces()) removed += await sweep(place)
  return removed
}

/**
 * Removes what killed creators, users, watchdogs and removers have left in a directory of temporary clusters. A cluster that
 * somebody uses, makes or watches is locked, and stays. Gives the number of removed clusters.
 */
export async function sweep(place: string): Promise<number> {
  let removed = 0
  for (const name of await readdir(place)) {
    const path = join(place, name)
    if (isDiscarded(name)) await removeTree(path)
    else if (isSpare(name)) await sweepSpare(place, name)
    else if (await sweepOne(new DataDirectory(path))) removed += 1
  }
  return removed
}

async function sweepOne(directory: DataDirectory): Promise<boolean> {
  const locks: Lock[] = []
  // The kernel frees a lock when its holder dies, so a cluster with free locks is abandoned.
  const take = async (path: string) => {
    if (!(await directory.has(path))) return true
    const lock = await tryAcquire(path, { create: false }).catch(() => null)
    if (lock === null) return false
    locks.push(lock)
    return true
  }
  try {
    // Change, then use, then the watchdog's lock: the order in which all processes take them.
    for (const path of [directory.path, directory.versionFile, directory.file('global')]) {
      if (!(await take(path))) return false
    }
    const [change] = locks
    if (change === undefined) return false
    const held = directory.by(change)
    // A creator that was killed at its first step may not have published the marker yet.
    const unmarked = temporaryOf(held.wreck)
    const found = await readdir(held.here)
    if (found.every((name) => held.file(name) === unmarked)) {
      await emptyDirectory(held.here)
      await rmdir(directory.path)
      return true
    }
    // An initdb that outlives its creator holds a lock on the directory that it fills.
    for (const staging of await stagingsOf(held)) {
      if (!(await isFree(staging))) return false
    }
    if (await isPinned(directory)) return false
    if (!(await directory.has(directory.throwAway)) && !(await directory.has(directory.wreck)))
      return false
    await stopPostmaster(directory, { shutdown: 'immediate' })
    await destroyCluster(directory, change)
    return true
  } catch {
    // The next sweep tries again.
    return false
  } finally {
    for (const lock of locks.toReversed()) lock.release()
  }
}

async function isFree(path: string): Promise<boolean> {
  const lock = await tryAcquire(path, { create: false }).catch(() => null)
  lock?.release()
  return lock !== null
}

/** Whether the server is pinned, so that it needs no user. */
async function isPinned(directory: DataDirectory): Promise<boolean> {
  const status = await statusOf(directory)
  return status.state === 'running' && status.pinned
}
