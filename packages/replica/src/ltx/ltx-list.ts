import { parseLtxFileName } from '@howdah/ltx'
import { ReplicaError } from '../errors.ts'
import { checkLevel } from '../layout.ts'
import type { FileFacts, Item, Storage } from '../storage.ts'
import { levelNames, parseLevel } from './level-name.ts'
import type { LtxFileInfo, LtxFileKey } from './ltx-file-info.ts'

const looksAtATime = 64

/** An LTX file that was found in a replica. */
export interface LtxFound extends LtxFileKey {
  readonly path: string
  readonly item: Item
}

/** A directory of LTX files of one level, and its content if that is known already. */
interface LevelDirectory {
  readonly level: number
  readonly path: string
  readonly items?: readonly Item[]
}

/** The levels of a replica, and LTX files outside of the levels. */
export interface LtxLevels {
  /** In ascending order. */
  readonly levels: readonly number[]
  /** The directories that exist. For each level, the directory for writing comes first. */
  readonly directories: readonly LevelDirectory[]
  /** The paths of LTX files and of directories with LTX files that belong to no known level. */
  readonly strangers: readonly string[]
}

/**
 * The possible directories of a level's LTX files, the one for writing first.
 *
 * They include the directories that litestream uses in other kinds of storage, since a replica may have been copied.
 */
export function levelDirectories(storage: Storage, level: number): string[] {
  checkLevel(level)
  const known = levelNames(level).flatMap((name) => [storage.join('ltx', name), storage.join(name)])
  return [...new Set([storage.levelDirectory(level), ...known])]
}

/** The directories of a level that exist. */
export async function presentDirectories(
  storage: Storage,
  levels: Iterable<number>,
): Promise<Map<number, string[]>> {
  const there = new Set<string>()
  for (const { name } of await storage.list(storage.join('ltx')))
    there.add(storage.join('ltx', name))
  for (const { name } of await storage.list(storage.root)) there.add(storage.join(name))
  const present = (level: number): string[] =>
    levelDirectories(storage, level).filter((path) => there.has(path))
  return new Map([...new Set(levels)].map((level) => [level, present(level)]))
}

/**
 * Finds the levels of a replica.
 *
 * Below `ltx/`, each directory with LTX files is a level or a stranger. At the top, only a directory with a name of digits
 * is, since others may use that place too.
 */
export async function findLevels(storage: Storage): Promise<LtxLevels> {
  const directories: LevelDirectory[] = []
  const strangers: string[] = []
  for (const { name } of await storage.list(storage.join('ltx'))) {
    const level = parseLevel(name)
    const path = storage.join('ltx', name)
    if (level !== null) directories.push({ level, path })
    else if (isLtx({ name }) || (await storage.list(path)).some(isLtx)) strangers.push(path)
  }
  for (const { name } of await storage.list(storage.root)) {
    const path = storage.join(name)
    if (isLtx({ name })) strangers.push(path)
    if (!/^[0-9a-f]{1,15}$/i.test(name)) continue
    const items = await storage.list(path)
    if (!items.some(isLtx)) continue
    const level = parseLevel(name)
    if (level === null) strangers.push(path)
    else directories.push({ level, path, items })
  }
  const levels = [...new Set(directories.map(({ level }) => level))]
  const place = ({ level, path }: LevelDirectory): number =>
    levelDirectories(storage, level).indexOf(path)
  return {
    levels: levels.toSorted((one, other) => one - other),
    directories: directories.toSorted((one, other) => place(one) - place(other)),
    strangers,
  }
}

function isLtx({ name }: Pick<Item, 'name'>): boolean {
  return parseLtxFileName(name) !== null
}

/** Throws `ERR_REPLICA_LAYOUT` if LTX files belong to no known level, because they may be newer than the others. */
export function refuseStrangers(storage: Storage, { strangers }: LtxLevels): void {
  const [path] = strangers
  if (path !== undefined) throw strange(storage, path)
}

/** The error for LTX files outside of the levels. */
export function strange(storage: Storage, path: string): ReplicaError {
  const what = path.endsWith('.ltx')
    ? 'is an LTX file outside of all levels'
    : 'contains LTX files, but its name is not that of a level'
  return new ReplicaError(
    'ERR_REPLICA_LAYOUT',
    `${path} ${what}; move it out of ${storage.root}, or into a level, such as ${storage.levelDirectory(0)}`,
    { path },
  )
}

/** The files of all levels. */
export async function allLtx(storage: Storage, { directories }: LtxLevels): Promise<LtxFound[]> {
  const byLevel = new Map<number, LevelDirectory[]>()
  for (const directory of directories) {
    byLevel.set(directory.level, [...(byLevel.get(directory.level) ?? []), directory])
  }
  const found = [...byLevel.values()].map(async (some) => await ltxIn(storage, some, 0n))
  return (await Promise.all(found)).flat()
}

/**
 * The LTX files of one level's directories from transaction `seek` on, sorted by first, then last transaction.
 *
 * Skips temporary files and other names. If several directories have a file of the same name, the first one counts.
 */
async function ltxIn(
  storage: Storage,
  directories: readonly LevelDirectory[],
  seek: bigint,
): Promise<LtxFound[]> {
  const found = new Map<string, LtxFound>()
  for (const { level, path, items } of directories) {
    for (const item of items ?? (await storage.list(path))) {
      const parsed = parseLtxFileName(item.name)
      if (parsed === null || parsed.minTxid < 1n || parsed.maxTxid < parsed.minTxid) continue
      if (parsed.minTxid < seek || found.has(item.name)) continue
      found.set(item.name, { level, ...parsed, path: `${path}/${item.name}`, item })
    }
  }
  // Names have a fixed width, so that the text order is the order of the numbers.
  return [...found.values()].toSorted((one, other) => (one.item.name < other.item.name ? -1 : 1))
}

/** The level's files with their sizes and times. Skips directories and deleted files. */
export async function* listLtx(
  storage: Storage,
  level: number,
  seek: bigint,
): AsyncGenerator<LtxFileInfo & { readonly path: string }, void, void> {
  const directories = levelDirectories(storage, level).map((path) => ({ level, path }))
  const found = await ltxIn(storage, directories, seek)
  for (let from = 0; from < found.length; from += looksAtATime) {
    const some = found.slice(from, from + looksAtATime)
    const facts = await Promise.all(some.map(({ path }) => storage.look(path)))
    for (const [index, file] of some.entries()) {
      const fact = facts[index]
      if (fact) yield { ...ltxInfo(file, fact), path: file.path }
    }
  }
}

/** The info about a file that listings give. */
export function ltxInfo(key: LtxFileKey, { size, modified }: FileFacts): LtxFileInfo {
  const { level, minTxid, maxTxid } = key
  return { level, minTxid, maxTxid, size, createdAt: modified }
}
