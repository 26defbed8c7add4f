import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { macBoot, macMachine, macProcessesRunning } from './mac.ts'
import { errno } from '@howdah/durable'

const unknown = 'unknown'

/** Where process ids mean the same: a machine, one of its boots, and a namespace of process ids. */
export interface Machine {
  readonly host: string
  readonly boot: string
  readonly namespace: string
}

/** A process, told from any other that has its id at another time or place. No part has a `-` in it. */
export interface ProcessIdentity extends Machine {
  readonly pid: string
  /** When it began, in clock ticks since boot. */
  readonly start: string
}

/** Where we are. */
export function thisMachine(): Machine {
  if (process.platform === 'darwin') return thisMac()
  const id = attempt(() => readFileSync('/etc/machine-id', 'utf8').trim())
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''))
  return {
    host: hash(`${hostname()} ${id ?? ''}`),
    boot: boot === null ? unknown : hash(boot),
    namespace: namespace ?? unknown,
  }
}

/** Without the name of the host, which changes with the network. */
function thisMac(): Machine {
  const boot = macBoot()
  return {
    host: hash(macMachine() ?? hostname()),
    boot: boot === null ? unknown : hash(boot),
    namespace: unknown,
  }
}

/** Who we are. */
export function thisProcess(): ProcessIdentity {
  return { ...thisMachine(), pid: `${process.pid}`, start: startTime(process.pid) ?? unknown }
}

/** Whether a process is certainly dead: what cannot be known counts as alive. */
export function isDead(other: ProcessIdentity): boolean {
  const here = thisMachine()
  const pid = Number(other.pid)
  if (other.host !== here.host || !Number.isInteger(pid) || pid <= 0) return false
  if (other.boot !== here.boot) return other.boot !== unknown && here.boot !== unknown
  if (other.namespace !== here.namespace) return false
  const start = startTime(pid)
  if (start !== null && other.start !== unknown) return start !== other.start
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errno(error) === 'ESRCH'
  }
}

/**
 * The processes that run a program from a directory, as far as we may see; `null` where the system does not tell.
 */
export async function processesRunning(directory: string): Promise<number[] | null> {
  if (process.platform === 'darwin') return await macProcessesRunning(directory)
  const names = await readdir('/proc').catch(() => null)
  if (names === null || !names.includes('self')) return null
  const pids = names.filter((name) => /^\d+$/.test(name))
  const running = await Promise.all(
    pids.map(async (pid) => {
      const program = await readlink(`/proc/${pid}/exe`).catch(() => '')
      return program.startsWith(`${directory}/`) ? [Number(pid)] : []
    }),
  )
  return running.flat()
}

/** See proc_pid_stat(5), field 22; `null` where that is not told. */
function startTime(pid: number): string | null {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  })
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function attempt<T>(action: () => T): T | null {
  try {
    return action()
  } catch {
    return null
  }
}
