import { statusOfSignal } from './exit-status.ts'
import type { ProcessIo } from './process-io.ts'

/** The signals that ask a program to end. They end a program that does not handle them. */
const ending = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** The signals that only inform a program. They do nothing to a program that does not handle them. */
const telling = ['SIGCONT', 'SIGWINCH'] as const
/** Node would start its debugger at SIGUSR1; a listener prevents that. */
const signals = [...ending, ...telling] as const

/** A signal that is passed on to a program in the foreground. */
export type PassedSignal = (typeof signals)[number]

/** Whether a signal asks a program to end, and ends it if the program does not handle the signal. */
export function asksToEnd(signal: NodeJS.Signals): boolean {
  return ending.some((name) => name === signal)
}

/** The time in ms that a program may take to end after a signal. After it, the state is the same as after a SIGKILL. */
const patience = 5000

/**
 * Handles signals while a program runs.
 *
 * At first, a signal that asks to end aborts {@link signal}, so that all waiting ends. While a child runs, each signal is
 * passed on to it ({@link during}). During the tidying after it ({@link tidy}), signals change nothing. The second SIGINT
 * since the beginning ends the process at once, except while a child runs. So does a SIGQUIT that is not the first signal,
 * and an end that takes too long.
 */
export class Interruption implements Disposable {
  readonly #io: Pick<ProcessIo, 'signals' | 'exit'>
  readonly #controller = new AbortController()
  readonly #onTidying: () => void
  #interrupts = 0
  #receiver: ((signal: PassedSignal) => void) | null = null
  #status: number | null = null
  #tidying = false
  #limit: NodeJS.Timeout | undefined

  /** `onTidying` is called if tidying continues after a Ctrl-C. */
  constructor(io: Pick<ProcessIo, 'signals' | 'exit'>, onTidying: () => void) {
    this.#io = io
    this.#onTidying = onTidying
    for (const signal of signals) io.signals.on(signal, this.#handle)
  }

  /** Aborted by the first signal that comes while no child runs. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The exit status for the signal that has aborted {@link signal}; `null` if none has. */
  get status(): number | null {
    return this.signal.aborted ? this.#status : null
  }

  /** Ends the waiting like a signal, with an exit status. */
  abort(status: number): void {
    if (this.signal.aborted) return
    this.#status ??= status
    const limit = () => this.#io.exit(this.#status ?? status)
    this.#limit = setTimeout(limit, patience).unref()
    this.#controller.abort()
  }

  /**
   * Passes signals to `receive` until `action` has ended.
   *
   * With `count: false`, a Ctrl-C is meant for the child alone, as in a line editor, and is not counted.
   */
  async during<T>(
    receive: (signal: PassedSignal) => void,
    action: () => Promise<T>,
    options: { count: boolean } = { count: true },
  ): Promise<T> {
    const before = this.#interrupts
    this.#receiver = receive
    try {
      return await action()
    } finally {
      this.#receiver = null
      if (!options.count) this.#interrupts = before
    }
  }

  /** Tidies up after a child that has ended with `status`. The second Ctrl-C skips this. */
  async tidy<T>(status: number, action: () => Promise<T>): Promise<T> {
    this.#status = status
    this.#tidying = true
    if (this.#interrupts >= 2) this.#io.exit(status)
    else if (this.#interrupts === 1) this.#onTidying()
    try {
      return await action()
    } finally {
      this.#tidying = false
    }
  }

  /** Listens to no more signals. */
  [Symbol.dispose](): void {
    clearTimeout(this.#limit)
    for (const signal of signals) this.#io.signals.off(signal, this.#handle)
  }

  readonly #handle = (name: NodeJS.Signals): void => {
    const signal = name as PassedSignal
    if (signal === 'SIGINT') this.#interrupts++
    if (this.#receiver !== null) this.#receiver(signal)
    else if (!asksToEnd(signal)) return
    else if (this.#isImpatient(signal)) this.#io.exit(this.#status ?? statusOfSignal(signal))
    else if (!this.#tidying) this.abort(statusOfSignal(signal))
    else if (signal === 'SIGINT') this.#onTidying()
  }

  /** Whether a signal asks the process to end without tidying. */
  #isImpatient(signal: PassedSignal): boolean {
    if (signal === 'SIGINT') return this.#interrupts >= 2
    return signal === 'SIGQUIT' && (this.#tidying || this.signal.aborted)
  }
}
