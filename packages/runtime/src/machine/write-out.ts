import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Makes macOS write out all unwritten data with sync(8). The data reach the disk before the next file that is synced. */
export async function writeOut(): Promise<void> {
  await promisify(execFile)('/bin/sync', [])
}
