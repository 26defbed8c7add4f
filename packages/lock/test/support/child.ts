import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from '@howdah/fixtures'
import { kernelLocks } from '../../src/process/holder.ts'

/** How a process ended. */
export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Processes that are disposed together. */
export type Children = Child[] & AsyncDisposable

/** A process that talks in lines. Disposal kills it, and waits for its end. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<End>
  readonly #lines: AsyncIterator<string>
  #errors = ''

  private constructor(command: string, args: string[], inherited: number[]) {
    this.process = spawn(command, args, {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      // pnpm sets NODE_PATH, by which a child would find modules that are not installed beside it.
      env: { ...process.env, NODE_PATH: '' },
      stdio: ['pipe', 'pipe', 'pipe', ...inherited],
    })
    this.ended = once(this.process, 'close').then(() => ({
      code: this.process.exitCode,
      signal: this.process.signalCode,
    }))
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]()
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.process.stdin!.on('error', () => undefined)
  }

  /** Starts `test/child/<name>.mjs`, which uses the built package. */
  static node(name: string, ...args: (string | number)[]): Child {
    const script = fileURLToPath(new URL(`../child/${name}.mjs`, import.meta.url))
    return new Child(process.execPath, [script, ...args.map(String)], [])
  }

  /** Runs a module with the built package as `lock` in scope. */
  static script(source: string, ...args: (string | number)[]): Child {
    const module = `import * as lock from '@howdah/lock'\n${source}`
    return new Child(
      process.execPath,
      ['--input-type=module', '-e', module, ...args.map(String)],
      [],
    )
  }

  /** Starts any command, with descriptors of ours as its 3, 4 and so on. */
  static command(command: string, args: string[], inherited: number[] = []): Child {
    return new Child(command, args, inherited)
  }

  /** Several at once. Disposal kills all of them. */
  static several(count: number, start: (index: number) => Child): Children {
    const children = Array.from({ length: count }, (_, index) => start(index))
    const dispose = async (): Promise<void> => {
      await Promise.all(children.map((child) => child[Symbol.asyncDispose]()))
    }
    return Object.assign(children, { [Symbol.asyncDispose]: dispose })
  }

  get pid(): number {
    return this.process.pid!
  }

  /** The text that the process has written to stderr until now. */
  get errors(): string {
    return this.#errors
  }

  /** All its further lines. */
  get lines(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#lines }
  }

  /** The next line. Throws if the process ends without one. */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next()
    if (done === true) throw new Error(`the process ended without a further line: ${this.#errors}`)
    return value
  }

  /** Tells it a line. */
  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`)
  }

  /** Closes its stdin. */
  finish(): void {
    this.process.stdin!.end()
  }

  /** Waits for the end of the process. Throws if it failed. */
  async success(): Promise<void> {
    const { code, signal } = await this.ended
    if (code !== 0) throw new Error(`the process ended with ${signal ?? code}: ${this.#errors}`)
  }

  /** Stops the process with all its threads, so that its state does not change while it is looked at. */
  async stop(): Promise<void> {
    this.process.kill('SIGSTOP')
    await until('it is stopped', () => isStopped(this.pid))
  }

  /** Whether it holds one of these locks or waits for it in the kernel. Only Linux tells that; elsewhere it is taken for granted. */
  isAt(...locks: string[]): boolean {
    if (process.platform !== 'linux') return true
    return locks.some((path) => kernelLocks(path).some(({ pid }) => pid === this.pid))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

/** Whether a process is stopped with all its threads, or has ended: from proc_pid_stat(5), or by ps(1). */
function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('/bin/ps', ['-p', String(pid), '-o', 'stat='], {
      encoding: 'utf8',
    })
    return /^[TZ]|^$/.test(stdout.trim())
  }
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    return /^[TZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  })
}
