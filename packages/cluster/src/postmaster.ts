import { execFile } from 'node:child_process'
import { readlinkSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import type { DataDirectory } from './data-directory.ts'
import { type PostmasterPid, readPostmasterPid } from './postmaster-pid.ts'

/** A server that runs on a data directory, whoever started it. */
export interface Postmaster {
  readonly identity: ProcessIdentity
  readonly file: PostmasterPid
}

/**
 * The server that runs on the data directory, or `null`.
 *
 * `postmaster.pid` outlives a crash, and the pid in it may by now be another process's. So the process must be there and
 * work in the data directory, as every postmaster does; where that may not be seen, it must belong to the directory's
 * owner and be called like one. Throws as {@link readPostmasterPid} does.
 */
export async function findPostmaster(directory: DataDirectory): Promise<Postmaster | null> {
  const file = await readPostmasterPid(directory)
  if (file === null) return null
  const identity = identifyProcess(file.pid)
  if (identity === null || !(await worksIn(file.pid, directory))) return null
  return { identity, file }
}

async function worksIn(pid: number, directory: DataDirectory): Promise<boolean> {
  try {
    const there = statSync(`/proc/${pid}/cwd`)
    const here = statSync(directory.path)
    return there.dev === here.dev && there.ino === here.ino && isPostgres(pid)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') return await looksLikePostmaster(pid, directory)
    if (process.platform === 'linux') return false
    return await looksLikePostmaster(pid, directory)
  }
}

/** A shell that has changed into the data directory is no server. */
function isPostgres(pid: number): boolean {
  try {
    return /\/(postgres|postmaster)( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return true
  }
}

async function looksLikePostmaster(pid: number, directory: DataDirectory): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'uid=,comm=', '-p', String(pid)])
    const [uid, ...command] = stdout.trim().split(/\s+/)
    const { uid: owner } = statSync(directory.path)
    return Number(uid) === owner && /(^|\/)(postgres|postmaster)$/.test(command.join(' '))
  } catch {
    return false
  }
}
