import { readdir, rm } from 'node:fs/promises'
import { acquire } from '@howdah/lock'
import type { DataDirectory } from './data-directory.ts'
import { writeOwnFile } from './own-file.ts'

/** Sets the marker: from now on until it is removed, there is no cluster here, whatever else there is. */
export async function markWreck(directory: DataDirectory): Promise<void> {
  const text = 'A cluster is being made or removed here; until that is done, there is none.\n'
  await writeOwnFile(directory.wreck, text, null)
}

/** Removes what an interrupted creation or destruction has left. Where no marker stands, nothing is removed. */
export async function clearWreck(directory: DataDirectory): Promise<void> {
  if (!(await directory.has(directory.wreck))) return
  for (const name of await readdir(directory.path)) {
    if (directory.file(name) === directory.wreck) continue
    if (directory.isStaging(name)) await ended(directory.file(name))
    await rm(directory.file(name), { recursive: true, force: true })
  }
  await rm(directory.wreck, { force: true })
}

/** Waits for an initdb whose caller was killed: it holds the lock on its directory for as long as it runs. */
async function ended(staging: string): Promise<void> {
  const lock = await acquire(staging, { fair: false, timeout: 60_000 })
  lock.release()
}
