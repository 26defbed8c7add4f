import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Subject } from './postgres.ts'

/** What a worker says. */
interface Message {
  /** It is about to do what it was made for. */
  readonly begun?: true
  readonly outcome?: unknown
  readonly joined?: 'modified' | 'unmodified'
  readonly url?: string
  readonly dataDir?: string
  readonly lost?: true
  readonly phase?: string
  readonly bytes?: number
  readonly error?: { code: string; message: string }
}

/** A process that does one thing to a cluster; see `worker.mjs`. Disposing kills it. */
export class Worker implements AsyncDisposable {
  readonly process: ChildProcess
  readonly messages: Message[] = []
  readonly #lines: AsyncIterator<string>

  constructor(
    action:
      | 'create'
      | 'temporary'
      | 'start'
      | 'stop'
      | 'destroy'
      | 'status'
      | 'use'
      | 'backup'
      | 'restore'
      | 'verify'
      | 'saveSnapshot'
      | 'restoreSnapshot'
      | 'branch'
      | 'dropBranch',
    dataDir: string,
    postgres: Subject,
    options: object = {},
    {
      tells = false,
      by = (command) => command,
      ...spawning
    }: {
      /** Whether it says first that it has begun. */
      tells?: boolean
      uid?: number | undefined
      gid?: number | undefined
      env?: NodeJS.ProcessEnv | undefined
      /** Runs its command by another one. */
      by?: ((command: [string, ...string[]]) => [string, ...string[]]) | undefined
    } = {},
  ) {
    const request = JSON.stringify({ action, dataDir, postgres: postgres.place, options, tells })
    const script = fileURLToPath(new URL('../src/worker.mjs', import.meta.url))
    const [program, ...args] = by([process.execPath, script, request])
    this.process = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      ...spawning,
      env: { ...process.env, ...spawning.env },
    })
    if (this.process.stdout === null) throw new Error('a worker has no output')
    this.#lines = createInterface(this.process.stdout)[Symbol.asyncIterator]()
  }

  /** The next thing it says; `null` when it has ended. */
  async next(): Promise<Message | null> {
    const { value, done } = await this.#lines.next()
    if (done === true) return null
    const message = JSON.parse(value) as Message
    this.messages.push(message)
    return message
  }

  /** Lets one that uses the cluster leave, and gives what it says at the end. */
  async leave(): Promise<Message | null> {
    this.process.stdin?.end()
    return await this.next()
  }

  /** Kills it with SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
