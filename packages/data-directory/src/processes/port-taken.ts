import { readFileSync, readlinkSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { namesIn } from '@howdah/durable'
import { seeProcess } from '@howdah/lock'
import { ClusterError } from '../cluster-error.ts'
import { quote } from '../files/quote.ts'

/** Another process listens at the port. The message of `ERR_CLUSTER_PORT_TAKEN` names the process if this user may see it. */
export function portTaken(dataDir: string, port: number, cause: Error): ClusterError {
  const who = listenersAt(port).map(describe).join(', ')
  return new ClusterError(
    'ERR_CLUSTER_PORT_TAKEN',
    dataDir,
    `the port ${port} is taken by ${who === '' ? 'a process that this user may not see' : who}; ` +
      `stop that, or choose another port for the server on ${dataDir}`,
    { cause },
  )
}

/** Whether a server's log says that a port was taken, on any address. */
export function saysPortTaken(log: string): boolean {
  return /could not bind IPv[46] address "[^"]*": Address already in use/.test(log)
}

/** The pids of the processes that listen at a port, as far as we may see their descriptors. */
function listenersAt(port: number): number[] {
  return process.platform === 'linux' ? byKernel(port) : byLsof(port)
}

/** Source: proc_net(5), proc_pid_fd(5). */
function byKernel(port: number): number[] {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listening(table, port)))
  if (inodes.size === 0) return []
  const pids = namesIn('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => namesIn(`/proc/${pid}/fd`).some((fd) => isOneOf(pid, fd))).map(Number)

  function isOneOf(pid: string, fd: string): boolean {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      return inode !== undefined && inodes.has(inode)
    } catch {
      return false
    }
  }
}

/** The inodes of the sockets that listen at a port. */
function listening(table: string, port: number): string[] {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0')
  try {
    const rows = readFileSync(`/proc/self/net/${table}`, 'utf8').split('\n')
    const fields = rows.map((row) => row.trim().split(/\s+/))
    return fields
      .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hexadecimal}`))
      .flatMap((row) => row[9] ?? [])
  } catch {
    return []
  }
}

function byLsof(port: number): number[] {
  return lsof('-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN').map(Number)
}

/** The lines that lsof(8) prints, which has this place on macOS, whatever the caller's PATH is; none if it finds nothing. */
function lsof(...args: string[]): string[] {
  const { stdout } = spawnSync('/usr/sbin/lsof', args, { encoding: 'utf8', timeout: 5000 })
  return (stdout ?? '').split('\n').filter(Boolean)
}

function commandOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const seen = seeProcess(pid)
    return seen === 'unknown' ? null : (seen?.command ?? null)
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || null
  } catch {
    return null
  }
}

/** The working directory of a process; `null` if it belongs to another user. */
function directoryOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const lines = lsof('-a', '-p', String(pid), '-d', 'cwd', '-Fn')
    return lines.find((line) => line.startsWith('n'))?.slice(1) ?? null
  }
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null
  }
}

/**
 * Describes a process. A PostgreSQL server is named by its working directory, the data directory, which says more than its
 * command line.
 */
function describe(pid: number): string {
  const command = commandOf(pid)
  const where = directoryOf(pid)
  const isPostgres =
    command !== null && /(?:^|\/)postgres(?:ql)?\b/.test(command.split(' ')[0] ?? '')
  if (isPostgres && where !== null) return `the PostgreSQL server on ${quote(where)} (pid ${pid})`
  return `pid ${pid}${command === null ? '' : ` (${command})`}`
}
