import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

/** A segment of System V shared memory of this ipc namespace. */
export interface Segment {
  readonly key: number
  readonly id: number
  /** The pid of the process that made it; 0 if that process is in another pid namespace. */
  readonly creator: number
  /** How many processes are attached to it. */
  readonly attached: number
  readonly uid: number
}

/**
 * All segments, which every user may see: from `/proc/sysvipc/shm`, proc_sysvipc(5), or on macOS by ipcs(1). Empty if neither
 * is available.
 */
export function segments(): Segment[] {
  if (process.platform === 'darwin') return listedSegments()
  let table: string
  try {
    table = readFileSync('/proc/sysvipc/shm', 'utf8')
  } catch {
    return []
  }
  const [head = '', ...lines] = table.trim().split('\n')
  const names = head.trim().split(/\s+/)
  return lines.map((line) => {
    const fields = line.trim().split(/\s+/).map(Number)
    const field = (name: string) => fields[names.indexOf(name)] ?? 0
    return {
      // A key may be shown as a negative number.
      key: field('key') >>> 0,
      id: field('shmid'),
      creator: field('cpid'),
      attached: field('nattch'),
      uid: field('uid'),
    }
  })
}

/** Parses the output of ipcs(1): a line of column names, and for each segment a line that begins with `m`. */
function listedSegments(): Segment[] {
  let lines: string[][]
  try {
    const table = execFileSync('/usr/bin/ipcs', ['-m', '-o', '-p'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    lines = table.split('\n').map((line) => line.trim().split(/\s+/))
  } catch {
    return []
  }
  const names = lines.find(([first]) => first === 'T') ?? []
  return lines
    .filter(([first]) => first === 'm')
    .map((fields) => {
      const field = (name: string) => fields[names.indexOf(name)] ?? ''
      return {
        key: Number(field('KEY')),
        id: Number(field('ID')),
        creator: Number(field('CPID')),
        attached: Number(field('NATTCH')),
        uid: uidOf(field('OWNER')),
      }
    })
}

/** Asks id(1), because the users of a Mac are not in a file. -1: there is no such user. */
function uidOf(name: string): number {
  if (/^-?\d+$/.test(name)) return Number(name) >>> 0
  try {
    const { username, uid } = userInfo()
    if (username === name) return uid
    const id = execFileSync('/usr/bin/id', ['-u', name], { stdio: ['ignore', 'pipe', 'ignore'] })
    return Number(id) >>> 0
  } catch {
    return -1
  }
}
