import { freemem, tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { statfs } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import { existingTrustedDirectory, trustedDirectory } from '@howdah/runtime'
import { noTemporaryPlace } from '../errors.ts'

/** The room that is needed, in bytes. A cluster has some 30 MB, and the data in it needs room, too. */
const roomFor = 1024 ** 3
/** `TMPFS_MAGIC` in Linux's `linux/magic.h`. */
const tmpfs = 0x01021994

/**
 * The directory of this user's temporary clusters: in `HOWDAH_TEMPORARY_DIR` if that is set; else in memory if there is twice
 * the needed room; else below the temporary directory. It belongs to us, and nobody else can write in it. It is made if it is
 * missing.
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

/** All existing directories of this kind, in which clusters may have been left. */
export async function temporaryPlaces(): Promise<string[]> {
  const places: string[] = []
  const chosen = process.env['HOWDAH_TEMPORARY_DIR']
  for (const above of new Set([...(chosen ? [chosen] : []), ...inMemory(), tmpdir()])) {
    const place = await existingTrustedDirectory(join(above, placeName())).catch(() => null)
    if (place !== null) places.push(place)
  }
  return places
}

/** Whether a data directory lies in such a directory, so that no other user's files are beside it. */
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
  // In a container the memory limit counts, too; `freemem` does not consider it.
  const limit = process.constrainedMemory?.() ?? 0
  const memory = limit > 0 && limit < 2 ** 53 ? Math.min(limit / 2, freemem()) : freemem()
  return found.bavail * found.bsize >= roomFor && memory >= 2 * roomFor
}
