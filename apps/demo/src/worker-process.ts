import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Report } from './demo.ts'

/** One of the demo's worker processes, and how it ends. */
export class WorkerProcess {
  readonly name: string
  /** Resolves when the process has ended: with `null` if it succeeded, otherwise with the failure and its stderr. */
  readonly failure: Promise<string | null>
  readonly #process
  #killed = false

  /** `hear` receives the worker's messages. */
  constructor(name: string, dataDir: string, hear: (report: Report) => void) {
    this.name = name
    const script = fileURLToPath(new URL('worker.js', import.meta.url))
    this.#process = fork(script, [name, dataDir], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
    this.#process.on('message', hear)
    this.failure = this.#end()
  }

  /** Kills the worker with SIGKILL, which is not a failure; `false` if it has been killed already. */
  kill(): boolean {
    if (this.#killed) return false
    this.#killed = true
    return this.#process.kill('SIGKILL')
  }

  async #end(): Promise<string | null> {
    let said = ''
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [status, signal] = (await once(this.#process, 'close')) as [number, NodeJS.Signals | null]
    if (status === 0 || (this.#killed && signal === 'SIGKILL')) return null
    const end = signal === null ? `with status ${status}` : `by ${signal}`
    return `${this.name} ended ${end} and said:\n${said.trim() || '(nothing)'}`
  }
}
