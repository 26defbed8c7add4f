import { execFileSync } from 'node:child_process'
import { errno } from '@howdah/durable'
import type { NativeProcess } from '../binding/binding.ts'
import { nativeIfLoadable } from '../binding/native.ts'

/** What a system without `/proc` tells of a process. `null`: it does not tell. */
export interface SeenProcess {
  readonly pid: number
  /** When it started: what ps(1) prints as `lstart`, or seconds since 1970 with six digits of fractions. */
  readonly startTime: string | null
  /** It has ended, and its parent has not asked for its status yet. */
  readonly isZombie: boolean
  readonly uid: number
  readonly parent: number
  /** The path or the name of what it runs. */
  readonly program: string | null
  /** Its arguments, or what it says of itself in their place. */
  readonly command: string | null
  /** The device and inode of its working directory, as `device:inode`. */
  readonly directory: string | null
}

/**
 * Looks at a process if there is no `/proc`. Three answers: the process; `null`, there is none; `'unknown'`, it cannot be seen
 * from here, as in a sandbox in which ps(1) may not run.
 *
 * By the addon on macOS, else by ps(1).
 */
export function seeProcess(pid: number): SeenProcess | null | 'unknown' {
  const seen = nativeIfLoadable()?.seeProcess?.(pid)
  if (typeof seen === 'object') return fromNative(pid, seen)
  if (seen === -esrch) return null
  const answer = askPs(['-p', String(pid)])
  return answer === 'unknown' ? answer : (answer[0] ?? null)
}

/** All processes if there is no `/proc`, or `'unknown'`. */
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
 * What ps(1) prints of some processes. It ends with status 1 and prints nothing if there are none.
 *
 * Each keyword is an argument of its own: POSIX lets the header after `=` extend to the end of the argument. By its absolute path on
 * macOS and the BSDs, for a sandbox or a caller's PATH may have another.
 */
function askPs(which: readonly string[]): SeenProcess[] | 'unknown' {
  if (process.platform === 'win32') return 'unknown'
  const keywords = ['pid=', 'stat=', 'uid=', 'ppid=', 'lstart=', 'command=']
  const words = [...which, ...keywords.flatMap((keyword) => ['-o', keyword])]
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
      uid: Number(uid),
      parent: Number(parent),
      program: null,
      command: command.trimEnd(),
      directory: null,
    },
  ]
}
