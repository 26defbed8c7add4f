import { execFileSync } from 'node:child_process'
import { errno } from '@howdah/durable'
import type { NativeProcess } from '../binding/binding.ts'
import { nativeIfLoadable } from '../binding/native.ts'

/** What a system without `/proc` tells about a process. A field is `null` if the system does not tell it. */
export interface SeenProcess {
  readonly pid: number
  /** The start time: what ps(1) prints as `lstart`, or seconds since 1970 with six decimal places. */
  readonly startTime: string | null
  /** The process has ended, and its parent has not yet asked for its status. */
  readonly isZombie: boolean
  readonly uid: number
  readonly parent: number
  /** The path or the name of its program. */
  readonly program: string | null
  /** Its arguments, or the title that the process has written over them. */
  readonly command: string | null
  /** The device and inode of its working directory, as `device:inode`. */
  readonly directory: string | null
}

/**
 * Looks at a process on a system without `/proc`. There are three answers: the process; `null`, there is no such process;
 * `'unknown'`, processes cannot be seen from here, as in a sandbox that forbids ps(1).
 *
 * It asks the addon on macOS, else ps(1).
 */
export function seeProcess(pid: number): SeenProcess | null | 'unknown' {
  const seen = nativeIfLoadable()?.seeProcess?.(pid)
  if (typeof seen === 'object') return fromNative(pid, seen)
  if (seen === -esrch) return null
  const answer = askPs(['-p', String(pid)])
  return answer === 'unknown' ? answer : (answer[0] ?? null)
}

/** All processes of a system without `/proc`, or `'unknown'`. */
export function seeProcesses(): SeenProcess[] | 'unknown' {
  const native = nativeIfLoadable()
  const pids = native?.processIds?.()
  if (typeof pids !== 'object') return askPs(['-A'])
  const seen = pids.map((pid) => seeProcess(pid))
  return seen.filter((one) => one !== null && one !== 'unknown')
}

/** No such process, the same number on every system. */
const esrch = 3

function fromNative(pid: number, seen: NativeProcess): SeenProcess {
  const { started, zombie, command, ...rest } = seen
  return { pid, startTime: started, isZombie: zombie, command: command?.trimEnd() ?? null, ...rest }
}

/**
 * Asks ps(1) about some processes. If there are none, ps ends with status 1 and prints nothing.
 *
 * Each keyword is an argument of its own, because in POSIX the header after `=` extends to the end of the argument. ps is run
 * by its absolute path, because a sandbox or the caller's PATH may contain another program of that name.
 */
function askPs(which: readonly string[]): SeenProcess[] | 'unknown' {
  if (process.platform === 'win32') return 'unknown'
  const keywords = ['pid=', 'stat=', 'uid=', 'ppid=', 'lstart=', 'command=']
  // Without -ww lines end at the width of a terminal, also if there is none.
  const words = ['-ww', ...which, ...keywords.flatMap((keyword) => ['-o', keyword])]
  try {
    const lines = execFileSync('/bin/ps', words, {
      encoding: 'utf8',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 26,
    })
    return lines.split('\n').flatMap((line) => parse(line))
  } catch (error) {
    return isNobody(error) ? [] : 'unknown'
  }
}

function isNobody(error: unknown): boolean {
  const { status, stdout, stderr } = error as { status?: number; stdout?: string; stderr?: string }
  return errno(error) === '' && status === 1 && stdout === '' && stderr === ''
}

function parse(line: string): SeenProcess[] {
  const match =
    /^\s*(\d+)\s+(\S+)\s+(-?\d+)\s+(\d+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line)
  const [, pid, state = '', uid, parent, started = '', command = ''] = match ?? []
  if (pid === undefined) return []
  const isZombie = state.startsWith('Z')
  return [
    {
      pid: Number(pid),
      startTime: started.replaceAll(/\s+/g, ' '),
      isZombie,
      // Of `nobody` ps(1) prints -2.
      uid: Number(uid) >>> 0,
      parent: Number(parent),
      program: null,
      command: command.trimEnd(),
      directory: null,
    },
  ]
}
