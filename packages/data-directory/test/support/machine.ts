import { statSync } from 'node:fs'
import type { Segment } from '../../src/memory/segments.ts'

/** What a test has the kernel tell, in the place of this machine's own list of shared memory and its pid namespace. */
export const machine = {
  /** The segments of System V shared memory. */
  segments: [] as Segment[],
  /** Those from the second look at them on; `null` if they stay the same. */
  segmentsLater: null as Segment[] | null,
  /** Whether the processes of the whole machine can be seen. */
  seesAll: true,
  /** Whether it can be seen where processes work. */
  seesWhere: true,
  /** Which processes have which segments attached: the pid and the segment's id. */
  attached: [] as (readonly [pid: number, id: number])[],
  /** Processes of which the kernel has taken the memory, and not yet the working directory. */
  ending: [] as number[],
  /** Processes that have their new program, and not yet its arguments. */
  starting: [] as number[],
}

/** What a file in `/proc` says of a process: of one that ends or starts, no arguments; of one that ends, no memory. */
export function toldOf<Content>(path: unknown, content: Content): Content | string {
  const [, pid, name] = /^\/proc\/(\d+)\/(cmdline|status)$/.exec(String(path)) ?? []
  const { ending, starting } = machine
  if (typeof content !== 'string' || pid === undefined) return content
  if (name === 'cmdline') return [...ending, ...starting].includes(Number(pid)) ? '' : content
  return ending.includes(Number(pid)) ? content.replaceAll(/^Vm.*\n/gm, '') : content
}

/** The segments at this look. */
export function segmentsNow(): Segment[] {
  const { segments, segmentsLater } = machine
  machine.segments = segmentsLater ?? segments
  return segments
}

/** To be called before each test. */
export function resetMachine(): void {
  machine.segments = []
  machine.segmentsLater = null
  machine.seesAll = true
  machine.seesWhere = true
  machine.attached = []
  machine.ending = []
  machine.starting = []
}

/** The number of the file at a path. */
export function inode(path: string): number {
  return statSync(path).ino
}
