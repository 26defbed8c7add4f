import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Makes macOS write to the disk all that it has not written yet, sync(8). What is synced next is behind that on the disk. */
export async function writeOut(): Promise<void> {
  await promisify(execFile)('/bin/sync', [])
}
