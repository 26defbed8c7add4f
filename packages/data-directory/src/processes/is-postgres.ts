import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Whether a process runs PostgreSQL's server program, as a postmaster and its children do.
 *
 * It looks at the executable, or, if that cannot be seen, at the name that every user may read, proc_pid_comm(5).
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
    return false // The process has ended.
  }
}
