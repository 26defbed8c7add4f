import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { commandLineOf, processIds, workingDirectoryOf } from '@howdah/fixtures'
import { seeProcess, seeProcesses } from '@howdah/lock'

const isLinux = process.platform === 'linux'

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
  /**
   * Whether the key of its segment is the inode number of its directory, which a server tries first. If another server had that
   * key, the next server may not find what this one has left.
   */
  readonly hasFirstKey: boolean
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
      const hasFirstKey = segment?.[0] === firstKeyOf(dataDir)
      return [{ pid, segment, files: [...new Set(files)], hasFirstKey }]
    }),
  )
}

/** From PostgreSQL 13 on. Source: `PGSharedMemoryCreate` in PostgreSQL's `sysv_shmem.c`. */
function firstKeyOf(dataDir: string): number | null {
  const ino = statSync(dataDir, { bigint: true, throwIfNoEntry: false })?.ino
  return ino === undefined ? null : Number(BigInt.asUintN(32, ino))
}

/** Whether any of it is still there. */
export function isLeft({ segment, files }: SharedMemory): boolean {
  const isThere = segments().some(
    (other) => segment !== null && other?.[0] === segment[0] && other[1] === segment[1],
  )
  return isThere || files.some((file) => existsSync(file))
}

/** Of System V: keys and identifiers, from proc_sysvipc(5) or as ipcs(1) of macOS prints them. */
function segments(): ([number, number] | null)[] {
  if (isLinux) return read('/proc/sysvipc/shm').split('\n').map(keyAndIdentifier)
  const table = execFileSync('/usr/bin/ipcs', ['-m'], { encoding: 'utf8' })
  return [...table.matchAll(/^m\s+(\d+)\s+(\S+)/gm)].map(([, id, key]) => [Number(key), Number(id)])
}

/** The first two numbers of a line. A key may be shown as if it had a sign. */
function keyAndIdentifier(line: string): [number, number] | null {
  const match = /^\s*(-?\d+)\s+(\d+)/.exec(line)
  return match === null ? null : [Number(match[1]) >>> 0, Number(match[2])]
}

/** The processes that work below a directory, or name it on their command line. */
export function processesBelow(path: string): number[] {
  if (!isLinux) return seenBelow(path)
  // One that has ended and was not waited for yet has neither.
  const isBelowIt = (pid: number) =>
    [workingDirectoryOf(pid), commandLineOf(pid)].some((text) => text.includes(path))
  return processIds().filter((pid) => pid !== process.pid && isBelowIt(pid))
}

/** The servers that work below a path; on Linux also those that worked there when it was removed. */
export function serversBelow(path: string): number[] {
  if (!isLinux) return seenBelow(path).filter((pid) => /\/postgres -D/.test(commandOf(pid)))
  return processIds().filter(
    (pid) => commandLineOf(pid).includes('/postgres\0-D') && isBelow(workingDirectoryOf(pid), path),
  )
}

/** The system adds a word to the path of a directory that was removed. */
function isBelow(directory: string, path: string): boolean {
  return directory === path || directory === `${path} (deleted)` || directory.startsWith(`${path}/`)
}

function commandOf(pid: number): string {
  const seen = seeProcess(pid)
  return typeof seen === 'object' ? (seen?.command ?? '') : ''
}

/** Where there is no `/proc`, a process tells the inode of the directory that it works in. */
function seenBelow(path: string): number[] {
  const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : []
  const inodes = new Set([path, ...names.map((name) => join(path, name))].map(inodeOf))
  const seen = seeProcesses()
  if (seen === 'unknown') throw new Error('the system does not tell which processes there are')
  return seen
    .filter(({ pid, isZombie }) => pid !== process.pid && !isZombie)
    .filter(
      ({ command, directory }) =>
        command?.includes(path) || (directory !== null && inodes.has(directory)),
    )
    .map(({ pid }) => pid)
}

function inodeOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    // It is gone, or a link that leads nowhere.
    return undefined
  }
}

function worksIn(pid: number, dataDir: string): boolean {
  if (isLinux) return workingDirectoryOf(pid) === dataDir
  const seen = seeProcess(pid)
  return typeof seen === 'object' && seen?.directory === inodeOf(dataDir)
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
