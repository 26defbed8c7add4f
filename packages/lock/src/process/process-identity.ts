import { readFileSync } from 'node:fs'
import { errno } from '@howdah/durable'
import { seeProcess } from './seen-process.ts'
import { formerMachineIds, here } from './surroundings.ts'

/** Whether a process lives; `unknown` if that cannot be seen from here, and then it counts as alive. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** What tells a process from every other one, also from a later one with the same pid. Plain data, made to be stored. */
export interface ProcessIdentity {
  readonly pid: number
  /**
   * When it started: field 22 of `/proc/<pid>/stat`; on macOS seconds since 1970 with six digits of fractions, or what ps(1) prints;
   * `null` if unknown. To be compared by {@link isSameProcess}.
   */
  readonly startTime: string | null
  /** The kernel's boot id; `null` if unknown. */
  readonly bootId: string | null
  /** The pid namespace in which the pid means this process; `null` if unknown or if there are none. */
  readonly pidNamespace: string | null
  /** The machine's id (machine-id(5)), by which a reboot is told from another machine; `null` or absent if unknown. */
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
 * The identity of the process that has this pid just now; `null` if there is none, and for a zombie, for the id of a
 * mere thread, and for what is no positive integer.
 */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (!exists(pid)) return null
  const seen = process.platform === 'linux' ? lookInProc(pid) : lookElsewhere(pid)
  return seen === gone ? null : { pid, startTime: seen, ...here() }
}

/**
 * Whether the process lives.
 *
 * `dead`: the pid is none, nobody has it, a zombie or thread has it, or somebody who started at another time. `unknown`:
 * its pid namespace or its machine is another one, or it was known when it started and that cannot be seen just now. On one machine a
 * process of an earlier boot is dead.
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

/** Whether both are known to be the same process. What is unknown of one makes them two. */
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

/** What ps(1) prints is compared in seconds, which is all that it tells. */
function startedTogether(one: string, other: string): boolean {
  if (one === other) return true
  const [first, second] = [one, other].map((text) => secondsOf(text))
  const isInFull = [one, other].every((text) => text.includes('.'))
  return !isInFull && first !== null && first === second
}

/** In seconds since 1970; `null` for the clock ticks of Linux. */
function secondsOf(text: string): number | null {
  if (/^\d+\.\d{6}$/.test(text)) return Number.parseInt(text, 10)
  const milliseconds = /^[A-Z][a-z]{2} /.test(text) ? Date.parse(`${text} UTC`) : Number.NaN
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000
}

/**
 * An identity that was stored as JSON; `null` if the text is anything else. Fields that are missing are unknown.
 */
export function parseIdentity(text: string): ProcessIdentity | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const fields = new Map<string, unknown>(Object.entries(value))
  const word = (name: string): string | null => {
    const field = fields.get(name)
    return typeof field === 'string' ? field : null
  }
  const pid = fields.get('pid')
  return typeof pid === 'number' && isPid(pid)
    ? {
        pid,
        startTime: word('startTime'),
        bootId: word('bootId'),
        pidNamespace: word('pidNamespace'),
        machineId: word('machineId'),
      }
    : null
}

function isThisMachine(id: string, ours: string | null): boolean {
  return id === ours || formerMachineIds().includes(id)
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other
}

/** `kill(0)` and `kill(-1)` mean groups, and succeed. */
function isPid(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid < 2 ** 31
}

function exists(pid: number): boolean {
  if (!isPid(pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, as somebody else.
    return errno(error) !== 'ESRCH'
  }
}

/** The start time from proc_pid_stat(5); `null` if `/proc` hides the process. */
function lookInProc(pid: number): string | null | typeof gone {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything, a ')' too. After it: field 3, the state; and field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X' || fields[0] === 'x') return gone
    const group = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (group !== undefined && Number(group) !== pid) return gone
    return fields[19] ?? null
  } catch (error) {
    // It ended meanwhile, or /proc is mounted with hidepid (proc(5)).
    return errno(error) === 'ESRCH' || !exists(pid) ? gone : null
  }
}

/** The start time if there is no `/proc`; `null` if it cannot be told. */
function lookElsewhere(pid: number): string | null | typeof gone {
  const seen = seeProcess(pid)
  if (seen === 'unknown') return null
  return seen === null || seen.isZombie ? gone : seen.startTime
}
