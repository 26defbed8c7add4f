import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ownerOf } from '../user/owner-of.ts'

/**
 * What `sh` prints as the owner of a process, in a directory that need not be open to that user. `null` if this process is
 * not root and so cannot become the owner, if the owner is root, too, and if the script fails.
 *
 * It is for what `/proc` tells only a process of the same user, or one with CAP_SYS_PTRACE.
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
    const options = { ...owner, cwd: directory, env: {} }
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script, 'sh', ...args], options)
    return stdout
  } catch {
    return null
  }
}
