import type { Io } from '../io.ts'
import { statusOfSignal } from '../exit-status.ts'

/** They ask a program to end, or end one that does not listen. */
const ending = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** They tell a program something, and do nothing to one that does not listen. */
const telling = ['SIGCONT', 'SIGWINCH'] as const
/** Node would start its debugger at SIGUSR1; listening to it settles that. */
const signals = [...ending, ...telling] as const

/** A signal that a program that runs in the foreground is to have. */
export type PassedSignal = (typeof signals)[number]

/** Whether a signal asks a program to end, rather than tell it something. */
export function asksToEnd(signal: PassedSignal): boolean {
  return ending.some((name) => name === signal)
}

/** In ms: how long a command may take to end after a signal. What it leaves then is as after a SIGKILL. */
const patience = 5000

/**
 * What becomes of signals while a command runs.
 *
 * At first, one that asks to end aborts {@link signal}, so that all waiting ends. While a child runs, each is handed on
 * ({@link during}). Afterwards, while things are tidied ({@link tidy}), they change nothing. A second SIGINT, counted
 * from the beginning, ends the process at once, except while a child runs. So does a SIGQUIT that is not the first signal,
 * and an end that takes too long.
 */
export class Interruption implements Disposable {
  readonly #io: Io
  readonly #controller = new AbortController()
  readonly #onTidying: () => void
  #interrupts = 0
  #receiver: ((signal: PassedSignal) => void) | null = null
  #status: number | null = null
  #tidying = false
  #limit: NodeJS.Timeout | undefined

  /** `onTidying` is called when tidying goes on after a Ctrl-C. */
  constructor(io: Io, onTidying: () => void) {
    this.#io = io
    this.#onTidying = onTidying
    for (const signal of signals) io.signals.on(signal, this.#handle)
  }

  /** Aborted by the first signal that comes while no child runs. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The exit status that the signal means which has aborted {@link signal}; `null` while none has. */
  get status(): number | null {
    return this.signal.aborted ? this.#status : null
  }

  /** Ends the waiting as a signal would, with that status. */
  abort(status: number): void {
    if (this.signal.aborted) return
    this.#status ??= status
    const limit = () => this.#io.exit(this.#status ?? status)
    this.#limit = setTimeout(limit, patience).unref()
    this.#controller.abort()
  }

  /**
   * Hands signals to `receive` until `action` is over.
   *
   * With `count: false` a Ctrl-C belongs to the child alone, as in an editor of lines, and does not count afterwards.
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

  /** Tidies up after a child that has ended with `status`; skipped by the second Ctrl-C. */
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

  /** Whether a signal asks to end without tidying. */
  #isImpatient(signal: PassedSignal): boolean {
    if (signal === 'SIGINT') return this.#interrupts >= 2
    return signal === 'SIGQUIT' && (this.#tidying || this.signal.aborted)
  }
}
