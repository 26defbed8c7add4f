import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tryAcquire } from '@howdah/lock'
import { discard } from './discard.ts'
import type { Initialization } from './initdb.ts'
import { removeTree, TemplateCache, type TemplateKey } from '@howdah/data-directory'
import { isInTemporaryPlace } from './temporary-place.ts'
import { keyOf, unpackTemplate } from './unpack-template.ts'

/*
 * A spare is the content of the next temporary cluster, unpacked in advance: a directory `.spare-<name of the template>`
 * beside those clusters, at most one for each template. It is not a cluster's data directory yet. The process that renames it
 * gets it.
 */
const prefix = '.spare-'
const lockSuffix = '.lock'
const unfinishedSuffix = '.tmp'

/** Fills a temporary cluster from a spare one, if there is one. */
export async function claimSpare(
  { name }: TemplateKey,
  staging: string,
  { directory, throwAway, user }: Initialization,
): Promise<boolean> {
  if (!throwAway || !isInTemporaryPlace(directory.path)) return false
  const spare = join(dirname(directory.path), prefix + name)
  try {
    const found = await lstat(spare)
    if (!found.isDirectory() || found.uid !== (user?.uid ?? process.geteuid?.())) return false
    await rename(spare, staging)
    return true
  } catch {
    // There is none, or another process was faster.
    return false
  }
}

/** Makes a spare cluster beside a temporary one, unless there is one or another process is making it. */
export async function prepareSpare(initialization: Initialization): Promise<void> {
  const key = await keyOf(initialization)
  const spare = join(dirname(initialization.directory.path), prefix + key.name)
  const cache = await TemplateCache.existing()
  if (cache === null) return
  using lock = await tryAcquire(spare + lockSuffix, { permissions: 0o600 })
  if (lock === null || (await lstat(spare).catch(() => null)) !== null) return
  const unfinished = spare + unfinishedSuffix
  // A killed process may have left an unfinished one.
  await removeTree(unfinished)
  await mkdir(unfinished, { mode: 0o700 })
  try {
    if (await unpackTemplate(cache, key, unfinished, initialization)) {
      await rename(unfinished, spare)
    }
  } finally {
    await removeTree(unfinished)
  }
}

/** Whether this is the name of a spare cluster or of a file that belongs to one. */
export function isSpare(name: string): boolean {
  return name.startsWith(prefix)
}

/**
 * Removes a spare cluster that nobody will claim, or that was left unfinished. `name` is a name in the directory of
 * temporary clusters.
 */
export async function sweepSpare(place: string, name: string): Promise<void> {
  if (!name.endsWith(lockSuffix)) return
  const lockFile = join(place, name)
  using lock = await tryAcquire(lockFile, { create: false }).catch(() => null)
  if (lock === null) return
  const spare = lockFile.slice(0, -lockSuffix.length)
  await removeTree(spare + unfinishedSuffix)
  const template = name.slice(prefix.length, -lockSuffix.length)
  const cache = await TemplateCache.existing().catch(() => null)
  if (cache !== null && (await cache.has(template))) return
  // The programs were upgraded, or the cache was emptied.
  await discard(spare).catch(() => undefined)
  await rm(lockFile, { force: true })
}
