import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { formatLtxFileName, parseLtxFileName } from '@howdah/ltx'
import { ifThere } from './errors.ts'
import { type Layout, parseLevel } from './layout.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'

const statsAtATime = 64

/** The levels that a replica has, in ascending order. */
export async function ltxLevels(layout: Layout): Promise<number[]> {
  const names = (await ifThere('list', layout.ltx, () => readdir(layout.ltx))) ?? []
  return names
    .map(parseLevel)
    .filter((level) => level !== null)
    .toSorted((one, other) => one - other)
}

/**
 * What the names of a level's files say, sorted by first, then last transaction.
 *
 * Temporary files and whatever else is no LTX file's name are passed over.
 */
export async function ltxKeys(layout: Layout, level: number, seek: bigint): Promise<LtxFileKey[]> {
  const directory = layout.ltxLevel(level)
  const names = (await ifThere('list', directory, () => readdir(directory))) ?? []
  // Names have fixed widths: as text they sort as their numbers do.
  return names.toSorted().flatMap((name) => {
    const parsed = parseLtxFileName(name)
    if (parsed === null || parsed.minTxid < 1n || parsed.maxTxid < parsed.minTxid) return []
    return parsed.minTxid < seek ? [] : [{ level, ...parsed }]
  })
}

/** The level's files, sorted by first, then last transaction. Directories, and files gone since, are passed over. */
export async function* listLtx(
  layout: Layout,
  level: number,
  seek: bigint,
): AsyncGenerator<LtxFileInfo, void, void> {
  const keys = await ltxKeys(layout, level, seek)
  for (let from = 0; from < keys.length; from += statsAtATime) {
    const some = keys.slice(from, from + statsAtATime)
    const infos = await Promise.all(some.map((key) => ltxInfo(layout, key)))
    for (const info of infos) if (info !== null) yield info
  }
}

/** A file's size and time, or `null` where it is not there or is no file. */
export async function ltxInfo(layout: Layout, key: LtxFileKey): Promise<LtxFileInfo | null> {
  const name = formatLtxFileName(key.minTxid, key.maxTxid)
  const path = join(layout.ltxLevel(key.level), name)
  const found = await ifThere('look at', path, () => stat(path))
  return found?.isFile() ? { ...key, size: found.size, createdAt: found.mtime } : null
}
