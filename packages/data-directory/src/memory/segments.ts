import { readFileSync } from 'node:fs'

/** A segment of System V shared memory of this ipc namespace. */
export interface Segment {
  readonly key: number
  readonly id: number
  /** The pid of the process that made it; 0 if that is of another pid namespace. */
  readonly creator: number
  /** By how many processes it is attached. */
  readonly attached: number
  readonly uid: number
}

/** All of them, from `/proc/sysvipc/shm`, proc_sysvipc(5), which everybody may read; none where there is no such file. */
export function segments(): Segment[] {
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
      // A key may be shown as if it had a sign.
      key: field('key') >>> 0,
      id: field('shmid'),
      creator: field('cpid'),
      attached: field('nattch'),
      uid: field('uid'),
    }
  })
}
