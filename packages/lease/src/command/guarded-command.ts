import { spawn, type ChildProcess } from 'node:child_process'
import { readClocks, momentAfter, timeUntil, type Moment } from '../holding/clocks.ts'
import type { GuardOrder, GuardReport } from './guard-protocol.ts'

/**
 * The longest sleep, in ms. Timers stand still while the machine sleeps, so the uptime must be checked at least this often.
 */
const longestNap = 500

/** How often to look whether a process group is empty, in ms. */
const groupInterval = 20

/** Runs one command in a process group of its own, and ends that group in time for a deadline. */
export class Guard {
  /** Settles when the command has ended, or could not be started. */
  readonly finished: Promise<void>
  readonly #report: (report: GuardReport) => void
  #finish: () => void = () => {}
  #child: ChildProcess | undefined
  #grace = 0
  #deadline: Moment | undefined
  #nap: NodeJS.Timeout | undefined
  #ending = false
  #late = false
  #over = false

  constructor(report: (report: GuardReport) => void) {
    this.#report = report
    this.finished = new Promise((resolve) => (this.#finish = resolve))
  }

  obey(order: GuardOrder): void {
    switch (order.type) {
      case 'run':
        this.#grace = order.grace
        this.#deadline = order.deadline
        this.#run(order)
        break
      case 'deadline':
        // An end that has begun is not put off.
        if (!this.#ending) this.#deadline = order.deadline
        this.#watch()
        break
      case 'signal':
        this.#kill(order.signal)
        break
      case 'end':
        this.end()
        break
    }
  }

  /** Sends SIGTERM now, and SIGKILL after the grace period or at the deadline, whichever comes first. */
  end(): void {
    if (this.#child === undefined) this.#stop()
    if (this.#ending || this.#over) return
    this.#ending = true
    const last = momentAfter(readClocks(), this.#grace)
    if (this.#deadline === undefined || timeUntil(last) < timeUntil(this.#deadline)) {
      this.#deadline = last
    }
    this.#kill('SIGTERM')
    // A stopped process gets SIGTERM only after SIGCONT.
    this.#kill('SIGCONT')
    this.#watch()
  }

  #run({ command, args, cwd, env, stdio }: Extract<GuardOrder, { type: 'run' }>): void {
    if (this.#over) return
    let child: ChildProcess
    try {
      child = spawn(command, args, { cwd, env, stdio: [...stdio], detached: true })
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException)
      return
    }
    // The command is noted before the event `spawn`, because an order to end it may come first.
    if (child.pid !== undefined) this.#child = child
    child.once('error', (error) => this.#fail(error))
    child.once('spawn', () => {
      this.#report({ type: 'started', pid: child.pid ?? 0 })
      this.#watch()
    })
    child.once('exit', (status, signal) => void this.#ended(status, signal))
  }

  #watch(): void {
    clearTimeout(this.#nap)
    if (this.#deadline === undefined || this.#child === undefined || this.#over) return
    const left = timeUntil(this.#deadline)
    if (left <= 0) {
      this.#late ||= !this.#ending
      this.#ending = true
      this.#kill('SIGKILL')
      return
    }
    if (!this.#ending && left <= this.#grace) {
      this.#late = true
      this.end()
      return
    }
    const next = this.#ending ? left : left - this.#grace
    this.#nap = setTimeout(() => this.#watch(), Math.min(next, longestNap))
  }

  /**
   * Called after the command itself has ended. If the guard has ended it, this waits for the rest of its process group, too.
   */
  async #ended(status: number | null, signal: NodeJS.Signals | null): Promise<void> {
    while (this.#ending && this.#kill(0)) {
      await new Promise((resolve) => setTimeout(resolve, groupInterval))
    }
    this.#report({ type: 'ended', status, signal, late: this.#late })
    this.#stop()
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#report({ type: 'failed', errno: error.code ?? '', message: error.message })
    this.#stop()
  }

  #stop(): void {
    this.#over = true
    clearTimeout(this.#nap)
    this.#finish()
  }

  /** Signals the process group. Gives whether the group exists. */
  #kill(signal: NodeJS.Signals | 0): boolean {
    const pid = this.#child?.pid
    if (pid === undefined || this.#over) return false
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
}
