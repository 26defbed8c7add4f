import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { LockManagerSnapshot, LockOptions } from '../../src/web-locks/index.ts'
import { Child } from './child.ts'

/** Another client, which asks for web locks as it is told. Disposal kills it, and waits for its end. */
abstract class WebLockClient implements AsyncDisposable {
  #requests = 0
  readonly #said: string[] = []
  #listen: () => void = () => {}

  /** Sends it a line. */
  protected abstract send(line: string): void
  /** Ends it at once, in the hardest way there is. */
  abstract kill(): Promise<void>

  /** Takes what it has said. */
  protected hear(line: string): void {
    this.#said.push(line)
    this.#listen()
  }

  /** Tells it to do something. */
  tell(operation: string, details: object = {}): void {
    this.send(JSON.stringify({ operation, ...details }))
  }

  /** Has it ask for a lock. Gives the number of the request. */
  request(name: string, options: LockOptions = {}, { abortable = false } = {}): number {
    const id = ++this.#requests
    this.tell('request', { id, name, options, abortable })
    return id
  }

  /** Has it ask for a lock, and waits until it has it. */
  async hold(name: string, options: LockOptions = {}): Promise<number> {
    const id = this.request(name, options)
    await this.says(`granted ${id}`)
    return id
  }

  /** Has it release a lock, and waits until it is released. */
  async release(id: number): Promise<void> {
    this.tell('release', { id })
    await this.says(`released ${id}`)
  }

  /** What it sees. When it answers, all its requests before are in the queue. */
  async query(): Promise<LockManagerSnapshot> {
    this.tell('query')
    const line = await this.#next((said) => said.startsWith('{'))
    return JSON.parse(line)
  }

  /** Waits until it has said something. */
  async says(line: string): Promise<void> {
    await this.#next((said) => said === line)
  }

  /** Whether it has said something. */
  hasSaid(line: string): boolean {
    return this.#said.includes(line)
  }

  async #next(wanted: (line: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.#said.findIndex(wanted)
      if (found !== -1) return this.#said.splice(found, 1).join('')
      await new Promise<void>((resolve) => {
        this.#listen = resolve
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

/** One that is a process of its own. */
export class ProcessClient extends WebLockClient {
  readonly child: Child

  private constructor(directory: string) {
    super()
    this.child = Child.node('web-lock-client', directory)
    void this.#read()
  }

  static async start(directory: string): Promise<ProcessClient> {
    const client = new ProcessClient(directory)
    await client.says('ready')
    return client
  }

  async #read(): Promise<void> {
    for await (const line of this.child.lines) this.hear(line)
  }

  protected send(line: string): void {
    this.child.tell(line)
  }

  async kill(): Promise<void> {
    await this.child[Symbol.asyncDispose]()
  }
}

/** One that is a worker thread of this process. */
export class WorkerClient extends WebLockClient {
  readonly #worker: Worker

  private constructor(directory: string) {
    super()
    const script = fileURLToPath(new URL('../child/web-lock-client.mjs', import.meta.url))
    this.#worker = new Worker(script, { workerData: directory, execArgv: [] })
    this.#worker.on('message', (line: string) => this.hear(line))
  }

  static async start(directory: string): Promise<WorkerClient> {
    const client = new WorkerClient(directory)
    await client.says('ready')
    return client
  }

  /** Expects the client to fail; otherwise its failure would end the tests. */
  onError(): void {
    this.#worker.on('error', () => undefined)
  }

  protected send(line: string): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- this is the port of a thread, which has no origin
    this.#worker.postMessage(line)
  }

  async kill(): Promise<void> {
    await this.#worker.terminate()
  }
}
