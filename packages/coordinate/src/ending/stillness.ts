import { readFileSync } from 'node:fs'

/** How often to look, in ms. Work between two looks is noticed by the processor time that was used. */
const interval = 250

/**
 * Measures how long a process has stood still: neither it nor any of its children has used the processor or waited for a
 * disk.
 *
 * A server that was told to end and stands still will not end by itself. This happens to PostgreSQL 18 if it is told to end
 * while it recovers from the crash of one of its processes. If the system does not show what processes do, no process counts
 * as still.
 */
export class Stillness {
  readonly #pid: number
  #looked = -Infinity
  #trace: string | null = null
  #since = 0

  constructor(pid: number) {
    this.#pid = pid
  }

  /** How long the process has stood still, in ms. Call it repeatedly. */
  lasts(): number {
    const now = performance.now()
    if (now - this.#looked < interval) return 0
    this.#looked = now
    const trace = traceOf(this.#pid)
    if (trace === null || trace !== this.#trace) this.#since = now
    this.#trace = trace
    return now - this.#since
  }
}

/**
 * Describes the work of a process and its children so far. `null` while one of them runs or waits for a disk, or if this
 * cannot be seen, because there is no `/proc` or the kernel lists no children there.
 *
 * Source: proc_pid_stat(5), proc_tid_children(5).
 */
function traceOf(pid: number): string | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    const processes = [String(pid), ...children.split(' ').filter((child) => child !== '')]
    const traces = processes.map((process) => {
      const stat = readFileSync(`/proc/${process}/stat`, 'latin1')
      // The fields are counted from the end of the name, which may contain anything. The state is field 3, the times are
      // fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { process, state: fields[0] ?? '', time: fields.slice(11, 13).join(' ') }
    })
    if (traces.some(({ state }) => state === 'R' || state === 'D')) return null
    return traces.map(({ process, time }) => `${process} ${time}`).join('\n')
  } catch {
    return null
  }
}
