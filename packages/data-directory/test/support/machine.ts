import { statSync } from 'node:fs'
import type { Segment } from '../../src/memory/segments.ts'

/** What a test has the kernel tell, in the place of this machine's own list of shared memory and its pid namespace. */
export const machine = {
  /** The segments of System V shared memory. */
  segments: [] as Segment[],
  /** Whether the processes of the whole machine can be seen. */
  seesAll: true,
  /** Whether it can be seen where processes work. */
  seesWhere: true,
}

/** To be called before each test. */
export function resetMachine(): void {
  machine.segments = []
  machine.seesAll = true
  machine.seesWhere = true
}

/** The number of the file at a path. */
export function inode(path: string): number {
  return statSync(path).ino
}
