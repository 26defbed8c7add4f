import { readFileSync } from 'node:fs'
import { errno } from '@howdah/durable'
import { seeProcess } from './seen-process.ts'
import { formerMachineIds, here } from './surroundings.ts'

/** Whether a process lives. `unknown`: this cannot be seen from here; treat the process as alive. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/**
 * Distinguishes a process from every other one, including a later process with the same pid. It is plain data that can be
 * stored.
 */
export interface ProcessIdentity {
  readonly pid: number
  /**
   * The start time: field 22 of `/proc/<pid>/stat`; on macOS seconds since 1970 with six decimal places, or what ps(1)
   * prints; `null` if unknown. Compare it by {@link isSameProcess}.
   */
  readonly startTime: string | null
  /** The kernel's boot id; `null` if unknown. */
  readonly bootId: string | null
  /** The pid namespace to which the pid belongs; `null` if it is unknown or the system has none. */
  readonly pidNamespace: string | null
  /** The machine's id (machine-id(5)), which distinguishes a reboot from another machine; `null` or absent if unknown. */
  readonly machineId?: string | null
}

const gone = Symbol('no such process')

let self: ProcessIdentity | undefined

/** The identity of this process. */
export function currentProcess(): ProcessIdentity {
  self ??= identifyProcess(process.pid) ?? { pid: process.pid, startTime: null, ...here() }
  return self
}

/**
 * The identity of the process that has this pid now; `null` if there is no such process, or the pid belongs to a zombie or a
 * thread, or is not a positive integer.
 */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (!exists(pid)) return null
  const seen = process.platform === 'linux' ? lookInProc(pid) : lookElsewhere(pid)
  return seen === gone ? null : { pid, startTime: seen, ...here() }
}

/**
 * Whether the process lives.
 *
 * `dead`: the pid is invalid or unused, or belongs to a zombie, to a thread, or to a process with another start time; or the
 * process ran before this machine's last reboot. `unknown`: the process is in another pid namespace or on another machine, or
 * its start time is known but the start time of the process that has the pid now cannot be seen.
 */
export function liveness(identity: ProcessIdentity): Liveness {
  const { pid, startTime, bootId, pidNamespace, machineId = null } = identity
  if (!isPid(pid)) return 'dead'
  const now = here()
  if (differ(pidNamespace, now.pidNamespace)) return 'unknown'
  if (differ(bootId, now.bootId)) {
    return machineId !== null && isThisMachine(machineId, now.machineId) ? 'dead' : 'unknown'
  }
  const present = identifyProcess(pid)
  if (present === null) return 'dead'
  if (startTime === null) return 'alive'
  if (present.startTime === null) return 'unknown'
  return startedTogether(startTime, present.startTime) ? 'alive' : 'dead'
}

/** Whether both are certainly the same process. If a start time is unknown, the answer is `false`. */
export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return (
    one.pid === other.pid &&
    one.startTime !== null &&
    other.startTime !== null &&
    startedTogether(one.startTime, other.startTime) &&
    one.bootId === other.bootId &&
    one.pidNamespace === other.pidNamespace
  )
}

/** If one of the times was printed by ps(1), which prints whole seconds, only seconds are compared. */
function startedTogether(one: string, other: string): boolean {
  if (one === other) return true
  const [first, second] = [one, other].map((text) => secondsOf(text))
  const isInFull = [one, other].every((text) => text.includes('.'))
  return !isInFull && first !== null && first === second
}

/** A start time in whole seconds since 1970; `null` if it is in Linux's clock ticks. */
function secondsOf(text: string): number | null {
  if (/^\d+\.\d{6}$/.test(text)) return Number.parseInt(text, 10)
  const milliseconds = /^[A-Z][a-z]{2} /.test(text) ? Date.parse(`${text} UTC`) : Number.NaN
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000
}

/** Reads an identity from JSON, as {@link toIdentity} does; `null` also if the text is not JSON. */
export function parseIdentity(text: string): ProcessIdentity | null {
  try {
    return toIdentity(JSON.parse(text))
  } catch {
    return null
  }
}

/** The identity that a value of JSON contains; `null` if it is anything else. Missing fields count as unknown. */
export function toIdentity(value: unknown): ProcessIdentity | null {
  if (typeof value !== 'object' || value === null) return null
  const { pid, startTime, bootId, pidNamespace, machineId } = value as Record<string, unknown>
  if (typeof pid !== 'number' || !isPid(pid)) return null
  return {
    pid,
    startTime: wordOrNull(startTime),
    bootId: wordOrNull(bootId),
    pidNamespace: wordOrNull(pidNamespace),
    machineId: wordOrNull(machineId),
  }
}

function wordOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function isThisMachine(id: string, ours: string | null): boolean {
  return id === ours || formerMachineIds().includes(id)
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other
}

/** Other numbers are no pids; `kill(0)` and `kill(-1)` even succeed, since they mean groups of processes. */
function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid < 2 ** 31
}

function exists(pid: number): boolean {
  if (!isPid(pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process lives, and belongs to another user.
    return errno(error) !== 'ESRCH'
  }
}

/** The start time from proc_pid_stat(5); `null` if `/proc` hides the process. */
function lookInProc(pid: number): string | null | typeof gone {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may contain any character, even a ')'. The fields after it begin with field 3, the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X' || fields[0] === 'x') return gone
    const group = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (group !== undefined && Number(group) !== pid) return gone
    return fields[19] ?? null
  } catch (error) {
    // The process ended meanwhile, or /proc is mounted with hidepid (proc(5)).
    return errno(error) === 'ESRCH' || !exists(pid) ? gone : null
  }
}

/** The start time on a system without `/proc`; `null` if it is unknown. */
function lookElsewhere(pid: number): string | null | typeof gone {
  const seen = seeProcess(pid)
  if (seen === 'unknown') return null
  return seen === null || seen.isZombie ? gone : seen.startTime
}
