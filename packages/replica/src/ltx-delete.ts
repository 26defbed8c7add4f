import { lstat, readdir, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseLtxFileName } from '@howdah/ltx'
import { syncDirectory } from './durable-directory.ts'
import { ifThere, io } from './errors.ts'
import type { Layout } from './layout.ts'
import type { LtxFileKey } from './ltx-file-info.ts'
import { ltxLevels } from './ltx-list.ts'
import { temporaryFor } from './temporary-file.ts'

/** Deletes files; what is gone already is no error. */
export async function deleteLtx(layout: Layout, keys: Iterable<LtxFileKey>): Promise<void> {
  const directories = new Set<string>()
  for (const { level, minTxid, maxTxid } of keys) {
    const path = layout.ltxFile(level, minTxid, maxTxid)
    if (await unlinkIfThere(path)) directories.add(dirname(path))
  }
  for (const directory of directories) await syncDirectory(directory)
}

/** Deletes the LTX files of all levels, temporary ones among them, and the directories that become empty. */
export async function deleteAllLtx(layout: Layout): Promise<void> {
  for (const level of await ltxLevels(layout)) {
    const directory = layout.ltxLevel(level)
    if (!(await isDirectory(directory))) continue
    const names = (await ifThere('list', directory, () => readdir(directory))) ?? []
    for (const name of names) {
      const path = join(directory, name)
      const written = parseLtxFileName(temporaryFor(name) ?? name) !== null
      if (written && !(await isDirectory(path))) await unlinkIfThere(path)
    }
    await removeIfEmpty(directory)
  }
  await removeIfEmpty(layout.ltx)
}

async function isDirectory(path: string): Promise<boolean> {
  return (await ifThere('look at', path, () => lstat(path)))?.isDirectory() ?? false
}

async function unlinkIfThere(path: string): Promise<boolean> {
  return (await ifThere('delete', path, () => unlink(path).then(() => true))) ?? false
}

async function removeIfEmpty(directory: string): Promise<void> {
  const names = await ifThere('list', directory, () => readdir(directory))
  if (names?.length !== 0) return
  await io('delete', directory, () => rmdir(directory).catch(ignoreRefilled))
  await syncDirectory(dirname(directory))
}

/** Somebody wrote into the directory, or deleted it, in between. */
function ignoreRefilled(error: NodeJS.ErrnoException): void {
  if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) throw error
}
