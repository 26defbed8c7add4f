import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Whether a process runs PostgreSQL's server program: it is a postmaster or one of its children.
 *
 * By its executable, or, if that may not be seen, by the name that everybody may read, proc_pid_comm(5).
 */
export function isPostgres(pid: number): boolean {
  try {
    return /\/(postgres|postmaster)( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return isCalledPostgres(pid)
  }
}

function isCalledPostgres(pid: number): boolean {
  try {
    return /^(postgres|postmaster)$/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
  } catch {
    return false // It has ended.
  }
}
