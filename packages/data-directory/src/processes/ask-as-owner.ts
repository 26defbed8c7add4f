import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { spawnedAs } from '@howdah/lock'
import { ownerOf } from '../user/owner-of.ts'

/**
 * Runs `sh` as the owner of a process, in a directory that the owner need not be able to reach, and gives its output. Gives
 * `null` if this process is not root, if the owner is root, too, or if the script fails.
 *
 * Use it for facts that `/proc` shows only to processes of the same user, or with CAP_SYS_PTRACE.
 */
export async function askAsOwner(
  pid: number,
  directory: string,
  script: string,
  args: readonly string[],
): Promise<string | null> {
  const owner = ownerOf(`/proc/${pid}`)
  if (process.geteuid?.() !== 0 || owner === null || owner.uid === 0) return null
  try {
    const options = { ...spawnedAs(owner), cwd: directory, env: {} }
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script, 'sh', ...args], options)
    return stdout
  } catch {
    return null
  }
}
