import { readdir, rm } from 'node:fs/promises'
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
    // An initdb whose caller was killed may still be writing there; it ends when it finds its directory gone.
    const patience = { maxRetries: 20, retryDelay: 20 }
    await rm(directory.file(name), { recursive: true, force: true, ...patience })
  }
  await rm(directory.wreck, { force: true })
}
