import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Cluster, WaitingOptions } from '@howdah/cluster'
import { DataDirectory, isStaging, readVersion } from '@howdah/data-directory'
import { syncDirectory } from '@howdah/durable'
import { acquire } from '@howdah/lock'
import { inTheWay } from '../errors.ts'
import { removeTablespaceDirectories, tablespaceDirectories } from './tablespace-directories.ts'
import type { UpgradePlace } from './upgrade-place.ts'

/** The name of a file in a cluster that an upgrade is making. */
export const makingMark = 'howdah.upgrade'

/**
 * Ends an upgrade that was killed. Until the swap, what it was making is removed, because the old cluster may have changed
 * since. After it, the old cluster is moved to where it is kept. The caller holds the lock of the data directory.
 */
export async function clearLeftovers(
  place: UpgradePlace,
  clusterAt: (path: string) => Cluster,
): Promise<void> {
  const current = await readVersion(new DataDirectory(place.dataDir))
  if (current === null) return
  await rm(join(place.dataDir, makingMark), { force: true })
  if (!existsSync(place.making)) return
  const left = new DataDirectory(place.making)
  const version = await readVersion(left)
  if (version !== null && version.major < current.major) {
    refuseFormer(place, version.major)
    await keepFormer(place, version.major)
    return
  }
  const isOurs = (await left.has(left.wreck)) || (await left.has(left.file(makingMark)))
  if (!isOurs) {
    const found = readdirSync(place.making)
    if (found.every((name) => name === 'howdah.creating.tmp')) return await removeEmpty(left)
    throw inTheWay(place.dataDir, place.making, 'it holds other things; move it away')
  }
  const clusters = [
    place.making,
    ...readdirSync(place.making)
      .filter(isStaging)
      .map((name) => join(place.making, name)),
  ]
  const outside = clusters.flatMap((path) => tablespaceDirectories(path, majorOf(path)))
  await clusterAt(place.making).destroy({ force: true })
  await removeTablespaceDirectories(outside)
}

/** Does {@link clearLeftovers} for a cluster that may be used: only other upgrades are kept out. */
export async function settle(
  place: UpgradePlace,
  clusterAt: (path: string) => Cluster,
  { waitTimeout: timeout, signal }: WaitingOptions,
): Promise<void> {
  if (!existsSync(place.making)) return
  using _ = await acquire(place.dataDir, { create: false, fair: false, timeout, signal })
  await clearLeftovers(place, clusterAt)
}

/** Moves the old cluster, after the swap, to where it is kept. */
export async function keepFormer(place: UpgradePlace, major: number): Promise<string> {
  const former = place.former(major)
  await rename(place.making, former)
  await rm(join(place.dataDir, makingMark), { force: true })
  await syncDirectory(dirname(former))
  return former
}

/** Throws if another cluster is already kept where the old one would be. */
export function refuseFormer(place: UpgradePlace, major: number): void {
  const former = place.former(major)
  if (!existsSync(former)) return
  const cure = 'if it is no longer needed, remove it with: howdah upgrade --drop-old'
  throw inTheWay(place.dataDir, former, cure)
}

async function removeEmpty(left: DataDirectory): Promise<void> {
  await rm(left.file('howdah.creating.tmp'), { force: true })
  await rmdir(left.path)
}

/** The major of what is in a directory, which may be unfinished. */
function majorOf(path: string): number {
  try {
    return Number.parseInt(readFileSync(join(path, 'PG_VERSION'), 'utf8'), 10)
  } catch {
    return 0
  }
}
