import { freemem, tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { statfs } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import { existingTrustedDirectory, trustedDirectory } from '@howdah/runtime'
import { noTemporaryPlace } from '../errors.ts'

/** In bytes: a cluster is some 30 MB, and what is written into it is to have room, too. */
const roomFor = 1024 ** 3
/** `TMPFS_MAGIC` in Linux's `linux/magic.h`. */
const tmpfs = 0x01021994

/**
 * The directory where temporary clusters of this user lie: in `HOWDAH_TEMPORARY_DIR` if that is set; else in memory if there
 * is room for one, with as much again to spare; else below the temporary directory. It is ours, and nobody else can write it;
 * made if it is missing.
 *
 * Throws `ERR_CLUSTER_TEMPORARY_PLACE` if even the temporary directory cannot be used, and `ERR_RUNTIME_UNTRUSTED_DIRECTORY` of
 * `@howdah/runtime` if others could write there.
 */
export async function temporaryPlace(): Promise<string> {
  const chosen = process.env['HOWDAH_TEMPORARY_DIR']
  if (chosen) return await placeIn(chosen)
  for (const memory of inMemory()) {
    if (!(await hasRoom(memory))) continue
    const place = await trustedDirectory(join(memory, placeName())).catch(() => null)
    if (place !== null) return place
  }
  return await placeIn(tmpdir())
}

async function placeIn(above: string): Promise<string> {
  const path = resolve(above, placeName())
  try {
    return await trustedDirectory(path)
  } catch (error) {
    if (errno(error) !== 'ERR_RUNTIME_CACHE_DIRECTORY') throw error
    const { cause, message } = error as Error
    throw noTemporaryPlace(path, cause instanceof Error ? cause.message : message, {
      cause: error,
    })
  }
}

/** All such directories that are there, for clusters that were left there. */
export async function temporaryPlaces(): Promise<string[]> {
  const places: string[] = []
  const chosen = process.env['HOWDAH_TEMPORARY_DIR']
  for (const above of new Set([...(chosen ? [chosen] : []), ...inMemory(), tmpdir()])) {
    const place = await existingTrustedDirectory(join(above, placeName())).catch(() => null)
    if (place !== null) places.push(place)
  }
  return places
}

/** Whether a data directory lies in such a directory, so that nobody else has anything beside it. */
export function isInTemporaryPlace(dataDir: string): boolean {
  return basename(dirname(dataDir)) === placeName()
}

function placeName(): string {
  return `howdah-clusters-${process.geteuid?.() ?? 0}`
}

function inMemory(): string[] {
  if (process.platform !== 'linux') return []
  const own = process.env['XDG_RUNTIME_DIR']
  return ['/dev/shm', ...(own ? [own] : [])]
}

async function hasRoom(directory: string): Promise<boolean> {
  const found = await statfs(directory).catch(() => null)
  if (found?.type !== tmpfs) return false
  // In a container, the limit of its memory counts, too: `freemem` does not know of it.
  const limit = process.constrainedMemory?.() ?? 0
  const memory = limit > 0 && limit < 2 ** 53 ? Math.min(limit / 2, freemem()) : freemem()
  return found.bavail * found.bsize >= roomFor && memory >= 2 * roomFor
}
