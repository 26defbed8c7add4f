import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory as sync } from '@howdah/durable'
import { ifThere, io } from '../errors.ts'

/** Makes a directory and its missing parents. All of them survive a power failure. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  const found = await ifThere('look at', path, () => stat(path))
  if (found !== null) return
  const first = await io('make the directory', path, () => mkdir(path, { recursive: true, mode }))
  if (first === undefined) return
  const top = dirname(first)
  for (let made = path; made !== top; made = dirname(made)) await syncDirectory(dirname(made))
}

/** Writes a directory's entries to the disk, if its file system can. */
export async function syncDirectory(path: string): Promise<void> {
  await io('sync the directory', path, () => sync(path))
}
