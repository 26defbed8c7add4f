import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Place } from './open-leaser.mjs'

/** How an attempt in a worker went; the times are the machine's monotonic clock, in ms. */
export interface Attempt {
  readonly ok: boolean
  readonly before: number
  readonly after: number
  readonly code?: string
  readonly message?: string
  readonly lease?: SentLease
}

export interface SentLease {
  readonly generation: string
  readonly etag: string
  readonly owner: string
  readonly expiresAt: number
}

interface Answer {
  readonly id?: number
  readonly value?: unknown
  readonly error?: string
  readonly event?: string
}

/** A process that does what it is asked for. */
export class Worker {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  readonly #events: Record<string, unknown>[] = []
  #wake: () => void = () => {}
  #next = 1
  #gone = false

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#process = fork(fileURLToPath(new URL('worker.mjs', import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: [],
    })
    this.#process.on('message', (answer: Answer) => this.#take(answer))
    this.#process.once('exit', (status, signal) => {
      this.#gone = true
      const error = new Error(`the worker ended with ${signal ?? status}`)
      for (const waiting of this.#waiting.values()) waiting.reject(error)
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async ask<T = Attempt>(
    action: string,
    request: { place?: Place; [key: string]: unknown },
  ): Promise<T> {
    if (this.#gone) throw new Error('the worker is gone')
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#process.send({ id, action, ...request })
    })
  }

  /** The next event of that name that the worker announced. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const index = this.#events.findIndex((event) => event['event'] === name)
      if (index >= 0) return this.#events.splice(index, 1)[0] as Record<string, unknown>
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }

  #take({ id, value, error, event, ...rest }: Answer): void {
    if (event !== undefined) {
      this.#events.push({ event, ...rest })
      this.#wake()
      return
    }
    const waiting = this.#waiting.get(id ?? 0)
    this.#waiting.delete(id ?? 0)
    if (error === undefined) waiting?.resolve(value as never)
    else waiting?.reject(new Error(error))
  }
}

/** Several workers, all gone when this is disposed. */
export class Crew implements AsyncDisposable {
  readonly workers: Worker[] = []

  constructor(size: number) {
    for (let n = 0; n < size; n++) this.add()
  }

  add(): Worker {
    const worker = new Worker()
    this.workers.push(worker)
    return worker
  }

  /** Kills one by SIGKILL and puts a new one in its place. */
  async replace(index: number): Promise<Worker> {
    await this.workers[index]?.kill()
    const worker = new Worker()
    this.workers[index] = worker
    return worker
  }

  /** Asks all of them for the same, to be started at the same moment. */
  async all<T = Attempt>(
    action: string,
    request: { place: Place; [key: string]: unknown },
  ): Promise<T[]> {
    const at = monotonic() + 6
    return Promise.all(this.workers.map((worker) => worker.ask<T>(action, { ...request, at })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()))
  }
}

/** The machine's monotonic clock in ms, which its processes share. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
