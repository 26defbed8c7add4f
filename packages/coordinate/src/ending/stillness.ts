import { readFileSync } from 'node:fs'

/** In ms: what a process does in between is seen anyway, by the time that it has used. */
const interval = 250

/**
 * For how long nothing of a process has moved: neither it nor any of its children has used the processor, or has waited for
 * a disk.
 *
 * A server that was told to end and stands still will not end by itself: PostgreSQL 18 does so when it is told while it
 * recovers from the crash of one of its processes. If the system does not tell, nothing ever stands still.
 */
export class Stillness {
  readonly #pid: number
  #looked = -Infinity
  #trace: string | null = null
  #since = 0

  constructor(pid: number) {
    this.#pid = pid
  }

  /** In ms. To be asked again and again. */
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
 * What a process and its children have done so far. `null` while one of them runs or waits for a disk, or if that cannot
 * be seen: there is no `/proc`, or the kernel lists no children there.
 *
 * Source: proc_pid_stat(5), proc_tid_children(5).
 */
function traceOf(pid: number): string | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    const processes = [String(pid), ...children.split(' ').filter((child) => child !== '')]
    const traces = processes.map((process) => {
      const stat = readFileSync(`/proc/${process}/stat`, 'latin1')
      // After the name, which may hold anything: the state is the third field, the times are the 14th and 15th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { process, state: fields[0] ?? '', time: fields.slice(11, 13).join(' ') }
    })
    if (traces.some(({ state }) => state === 'R' || state === 'D')) return null
    return traces.map(({ process, time }) => `${process} ${time}`).join('\n')
  } catch {
    return null
  }
}
