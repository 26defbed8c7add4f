import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** What a server has of the kernel that outlives it if it is killed. */
export interface SharedMemory {
  /** Of System V: key and identifier. */
  readonly segment: readonly [number, number] | null
  /** Files in `/dev/shm`. */
  readonly files: readonly string[]
}

/** A server that runs below a directory. */
interface Postmaster extends SharedMemory {
  readonly pid: number
}

/** The servers whose data directories are those given, or lie right in them: where copies are made, for example. */
export function postmastersOf(directories: readonly string[]): Postmaster[] {
  return directories.flatMap((directory) =>
    [directory, ...subdirectories(directory)].flatMap((dataDir) => {
      const lines = read(join(dataDir, 'postmaster.pid')).split('\n')
      const pid = Number(lines[0])
      if (!(pid > 0) || !worksIn(pid, dataDir)) return []
      const segment = keyAndIdentifier(lines[6] ?? '')
      const maps = read(`/proc/${pid}/maps`)
      const files = [...maps.matchAll(/\/dev\/shm\/PostgreSQL\.\d+/g)].map(([file]) => file)
      return [{ pid, segment, files: [...new Set(files)] }]
    }),
  )
}

/** Whether any of it is still there. */
export function isLeft({ segment, files }: SharedMemory): boolean {
  const segments = read('/proc/sysvipc/shm').split('\n').map(keyAndIdentifier)
  const isThere = segments.some(
    (other) => segment !== null && other?.[0] === segment[0] && other[1] === segment[1],
  )
  return isThere || files.some((file) => existsSync(file))
}

/** The first two numbers of a line. A key may be shown as if it had a sign. */
function keyAndIdentifier(line: string): [number, number] | null {
  const match = /^\s*(-?\d+)\s+(\d+)/.exec(line)
  return match === null ? null : [Number(match[1]) >>> 0, Number(match[2])]
}

/** The processes that work below a directory, or name it on their command line. */
export function processesBelow(path: string): number[] {
  return (
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      // One that has ended and was not waited for yet has neither.
      .filter((name) =>
        [cwdOf(Number(name)), read(`/proc/${name}/cmdline`)].some((text) => text.includes(path)),
      )
      .map(Number)
  )
}

function worksIn(pid: number, dataDir: string): boolean {
  return cwdOf(pid) === dataDir
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.startsWith('howdah.'))
      .map(({ name }) => join(directory, name))
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
