import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { errno } from '@howdah/durable'

/** Whether a process lives; `unknown` where that cannot be seen from here, and then it counts as alive. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** What tells a process from every other one, also from a later one with the same pid. Plain data, made to be stored. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started: field 22 of `/proc/<pid>/stat`, elsewhere what ps(1) prints; opaque, `null` where unknown. */
  readonly startTime: string | null
  /** The kernel's boot id; `null` where unknown. */
  readonly bootId: string | null
  /** The pid namespace in which the pid means this process; `null` where unknown or where there are none. */
  readonly pidNamespace: string | null
  /** The machine's id (machine-id(5)), by which a reboot is told from another machine; `null` or absent where unknown. */
  readonly machineId?: string | null
}

interface Surroundings {
  readonly bootId: string | null
  readonly pidNamespace: string | null
  readonly machineId: string | null
}

const gone = Symbol('no such process')

let surroundings: Surroundings | undefined
let self: ProcessIdentity | undefined

/** The identity of this process. */
export function currentProcess(): ProcessIdentity {
  self ??= identifyProcess(process.pid) ?? { pid: process.pid, startTime: null, ...here() }
  return self
}

/**
 * The identity of the process that has this pid just now; `null` where there is none, and for a zombie, for the id of a
 * mere thread, and for what is no positive integer.
 */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (!exists(pid)) return null
  const seen = process.platform === 'linux' ? lookInProc(pid) : askPs(pid)
  return seen === gone ? null : { pid, startTime: seen, ...here() }
}

/**
 * Whether the process lives.
 *
 * `dead`: the pid is none, nobody has it, a zombie or thread has it, or somebody who started at another time. `unknown`:
 * its pid namespace or its machine is another one. On one machine a process of an earlier boot is dead.
 */
export function liveness(identity: ProcessIdentity): Liveness {
  const { pid, startTime, bootId, pidNamespace, machineId = null } = identity
  if (!isPid(pid)) return 'dead'
  const now = here()
  if (differ(pidNamespace, now.pidNamespace)) return 'unknown'
  if (differ(bootId, now.bootId)) {
    return machineId !== null && machineId === now.machineId ? 'dead' : 'unknown'
  }
  const present = identifyProcess(pid)
  return present === null || differ(startTime, present.startTime) ? 'dead' : 'alive'
}

/**
 * An identity that was stored as JSON; `null` where the text is anything else. Fields that are missing are unknown.
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

/** The start time from proc_pid_stat(5); `null` where `/proc` hides the process. */
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

/** The start time where there is no `/proc`: macOS. */
function askPs(pid: number): string | null | typeof gone {
  if (process.platform === 'win32') return null
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    const [, state, started] = /^(\S+)\s+(.*)$/.exec(line) ?? []
    if (state === undefined) return null
    return state.startsWith('Z') ? gone : (started ?? null)
  } catch {
    return exists(pid) ? null : gone
  }
}

/** What is the same for every process that is seen from here. */
function here(): Surroundings {
  surroundings ??=
    process.platform === 'linux'
      ? {
          bootId: read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
          pidNamespace: read(() => readlinkSync('/proc/self/ns/pid')),
          machineId: read(() => readFileSync('/etc/machine-id', 'utf8')),
        }
      : {
          bootId: process.platform === 'darwin' ? read(() => sysctl('kern.bootsessionuuid')) : null,
          pidNamespace: null,
          machineId: process.platform === 'darwin' ? read(() => sysctl('kern.uuid')) : null,
        }
  return surroundings
}

function sysctl(name: string): string {
  return execFileSync('sysctl', ['-n', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function read(source: () => string): string | null {
  try {
    return source().trim() || null
  } catch {
    return null
  }
}
