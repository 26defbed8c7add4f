import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { main } from '@howdah/cli'
import {
  processIds,
  temporaryDirectory,
  type TemporaryDirectory,
  until,
  workingDirectoryOf,
} from '@howdah/fixtures'
import { processesBelow } from '@howdah/postgres-fixtures'
import manifest from '../package.json' with { type: 'json' }

/** The built command. */
const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
const { version } = manifest

/** How a command is to be run. */
export interface Options {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** For its stdin, which is empty otherwise; `null` leaves it open. */
  readonly input?: string | null
  /** Run it by this, such as `['python3', 'terminal.py']`. */
  readonly by?: readonly string[]
}

/** How a command has ended. */
export interface Result {
  /** `null` when a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export class Running {
  readonly child: ChildProcess
  readonly result: Promise<Result>
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.#stdout += chunk))
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.#stderr += chunk))
    this.result = this.#end()
  }

  /** All that it has written to stdout so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** All that it has written to stderr so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** Waits until stdout contains a text, from some character on, nudging meanwhile if that is asked for. */
  async says(what: string, from = 0, nudge?: () => void): Promise<void> {
    const said = () => this.#stdout.slice(from).includes(what)
    let nudged = 0
    const enough = () => {
      if (performance.now() - nudged > 500) nudge?.()
      if (performance.now() - nudged > 500) nudged = performance.now()
      return said() || this.child.exitCode !== null
    }
    try {
      await until(`it says ${what}`, enough, 30_000)
    } finally {
      if (!said()) {
        // oxlint-disable-next-line no-unsafe-finally -- what it said instead is worth more than that it took too long
        throw new Error(`it never said ${what}, only ${this.#stdout.slice(from)}${this.#stderr}`)
      }
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  async #end(): Promise<Result> {
    const [status] = (await once(this.child, 'close')) as [number | null]
    return { status, stdout: this.#stdout, stderr: this.#stderr }
  }
}

/** Starts howdah in a directory, in a session of its own and so without a controlling terminal. */
export function start(path: string, args: readonly string[], options: Options = {}): Running {
  const [command = '', ...rest] = [...(options.by ?? []), process.execPath, bin, ...args]
  const child = spawn(command, rest, {
    cwd: options.cwd ?? path,
    env: { ...plainEnvironment(), ...options.env },
    detached: true,
  })
  // A command that refuses its arguments ends without reading.
  child.stdin.on('error', () => undefined)
  if (options.input !== null) child.stdin.end(options.input ?? '')
  return new Running(child)
}

/**
 * Runs a command to its end within this process, as programs can. For tests about what a command does and says rather than
 * about its process, because a process of its own takes ten times the CPU. The directories of state and caches are those of
 * `process.env`.
 */
export async function answer(
  path: string,
  args: readonly string[],
  { cwd = path, env = {}, input }: Pick<Options, 'cwd' | 'env' | 'input'> = {},
): Promise<Result> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const printed = Promise.all([text(stdout), text(stderr)])
  const status = await main(args, {
    stdin: stdin.end(input ?? ''),
    stdout,
    stderr,
    env: { ...plainEnvironment(), ...env },
    cwd,
    signals: new EventEmitter(),
    exit: (forced) => {
      throw new Error(`howdah ended this process with ${forced}`)
    },
    from: import.meta.url,
    version,
  })
  stdout.end()
  stderr.end()
  const [out, err] = await printed
  return { status, stdout: out, stderr: err }
}

/** A directory to run howdah in. When it is disposed nothing is left, neither files nor processes. */
export class Project implements AsyncDisposable {
  readonly #directory: TemporaryDirectory

  constructor() {
    this.#directory = temporaryDirectory({ prefix: 'howdah-app-' })
  }

  get path(): string {
    return this.#directory.path
  }

  /** Where the cluster lies if nothing says otherwise. */
  get dataDir(): string {
    return this.file('.howdah', 'data')
  }

  file(...names: string[]): string {
    return this.#directory.file(...names)
  }

  /** Runs howdah to its end. */
  async howdah(args: readonly string[], options: Options = {}): Promise<Result> {
    return await this.start(args, options).result
  }

  /** Runs howdah to its end in this process, for what it answers. */
  async answer(args: readonly string[], options: Options = {}): Promise<Result> {
    return await answer(this.path, args, options)
  }

  /** Starts howdah, in a session of its own and so without a controlling terminal. */
  start(args: readonly string[], options: Options = {}): Running {
    return start(this.path, args, options)
  }

  /** Waits until no process is at work in here. */
  async isQuiet(): Promise<void> {
    await until('nothing runs any more', () => processesIn(this.path).length === 0, 20_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#destroy()
      await this.isQuiet()
    } finally {
      this.#directory[Symbol.dispose]()
    }
  }

  /** By the library, which starts no process and saves nothing; by the command if `howdah.json` says where the cluster is. */
  async #destroy(): Promise<void> {
    if (existsSync(this.file('howdah.json'))) {
      const { status, stderr } = await this.howdah(['destroy', '--force', '--no-save'])
      if (status !== 0) throw new Error(`cannot destroy ${this.dataDir}: ${stderr}`)
    } else if (existsSync(this.file('.howdah'))) {
      const { Cluster } = await import('@howdah/cluster')
      await new Cluster(this.dataDir).destroy({ force: true })
    }
  }
}

/** Our environment, without what would lead to another cluster. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:PG|DATABASE_URL)/.test(name))
  return Object.fromEntries(kept)
}

/** The processes whose working directory is below a path, as a server's is. */
export function processesIn(path: string): number[] {
  if (process.platform !== 'linux') return processesBelow(path)
  return processIds().filter((pid) => `${workingDirectoryOf(pid)}/`.startsWith(`${path}/`))
}
