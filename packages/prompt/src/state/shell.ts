import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { Connection } from '../connection/connection.ts'
import {
  describeServerMessage,
  type ServerMessage,
  type Verbosity,
} from '../connection/describe-server-message.ts'
import type { Host } from '../host.ts'
import { defaultPrintOptions, type PrintOptions } from '../printing/print-options.ts'
import { ByteLines, type LineSource } from '../scanning/line-source.ts'
import type { OutputTarget } from './output-target.ts'
import { Variables } from './variables.ts'

/** What a server's error has said, for `\errverbose`. */
export interface Failure {
  readonly message: ServerMessage
  readonly statement: string
}

/** How the terminal is lent to a program, such as an editor. */
export interface Terminal {
  suspend(): void
  resume(): void
  /** What was typed, the oldest first. */
  history(): readonly string[]
}

/** The state of a shell: its connection, its variables and settings, and where its input comes from and its output goes. */
export class Shell {
  readonly host: Host
  /** The environment of the programs that are started. */
  readonly env: NodeJS.ProcessEnv
  readonly variables = new Variables()
  print: PrintOptions = defaultPrintOptions()
  /** The settings of `\timing`. */
  timing = false
  /** The token of `\restrict`, which forbids commands until its `\unrestrict`; `null` if there is none. */
  restriction: string | null = null
  /** The query that was sent last, for `\g` without one. */
  lastQuery = ''
  lastFailure: Failure | null = null
  /** The exit status after a signal; `null` if none has asked to end. */
  ended: number | null = null
  /** Aborted by Ctrl-C, and then made anew. */
  interruption = new AbortController()
  /** The terminal of the prompt; `null` without one. */
  terminal: Terminal | null = null
  readonly sources: LineSource[] = []
  /** The data of stdin that are no scripts. */
  readonly stdin: ByteLines
  #connection: Connection | null = null
  #out: OutputTarget
  #directory: string | null = null
  /** The notifications of the server that have not been printed. */
  #notifications: string[] = []

  constructor(host: Host) {
    this.host = host
    this.env = { ...host.env }
    this.stdin = new ByteLines(host.stdin)
    this.#out = this.stdout
  }

  /** The standard output. */
  readonly stdout: OutputTarget = {
    write: async (data) => await this.host.write(data),
    close: async () => undefined,
  }

  /** Where results go. */
  get out(): OutputTarget {
    return this.#out
  }

  /** Sends results elsewhere, after what they were sent to has been closed. */
  async sendTo(target: OutputTarget): Promise<void> {
    const before = this.#out
    this.#out = target
    await before.close()
  }

  /** The innermost source of lines; `null` in a `-c`. */
  get source(): LineSource | null {
    return this.sources.at(-1) ?? null
  }

  /** Whether somebody types the lines. */
  get isInteractive(): boolean {
    return this.source?.isInteractive === true
  }

  get isQuiet(): boolean {
    return this.variables.isOn('QUIET')
  }

  /** Whether a failure ends what is being run. */
  get stopsAtErrors(): boolean {
    return !this.isInteractive && this.variables.isOn('ON_ERROR_STOP')
  }

  get connection(): Connection | null {
    return this.#connection
  }

  /** Connects to a database, and leaves the one before. If that fails, nothing has changed. */
  async connect(to: { database: string; user?: string | undefined }): Promise<void> {
    const next = await Connection.open(
      this.host,
      to,
      (notice) => this.complain(describeServerMessage(notice, '', this.verbosity)),
      ({ channel, payload, processId }) => {
        const words = payload === undefined || payload === '' ? '' : ` with payload "${payload}"`
        this.#notifications.push(
          `Asynchronous notification "${channel}"${words} received from server process with PID ${processId}.\n`,
        )
      },
    )
    await this.disconnect()
    this.#connection = next
    const { facts, database } = next
    this.variables.set('DBNAME', database)
    this.variables.set('USER', facts.user)
    this.variables.set('SERVER_VERSION_NAME', facts.version)
    this.variables.set('SERVER_VERSION_NUM', String(facts.versionNumber))
    this.variables.set('ENCODING', next.encoding)
  }

  async disconnect(): Promise<void> {
    const before = this.#connection
    this.#connection = null
    await before?.close().catch(() => undefined)
  }

  /** The notifications of the server since the last call. */
  takeNotifications(): string {
    const found = this.#notifications.join('')
    this.#notifications = []
    return found
  }

  get verbosity(): Verbosity {
    return {
      verbosity: this.variables.get('VERBOSITY') as Verbosity['verbosity'],
      context: this.variables.get('SHOW_CONTEXT') as Verbosity['context'],
    }
  }

  /** Prints a message on stderr, after the place in the file that is being run. */
  complain(message: string): void {
    const { name, line } = this.source ?? { name: null, line: 0 }
    this.host.complain(name === null ? message : `${name}:${line}: ${message}`)
  }

  /** Prints a message on stderr about a failure of the shell itself, as psql words it: with "error:" in scripts. */
  complainOf(message: string): void {
    this.complain(this.source?.name == null ? message : `error: ${message}`)
  }

  /** Makes a path absolute. `~` is the home directory. */
  fullPath(path: string): string {
    const home = this.env['HOME']
    const named = home === undefined ? path : path.replace(/^~(?=\/|$)/, () => home)
    return this.#directory === null ? this.host.fullPath(named) : resolve(this.#directory, named)
  }

  /** Makes relative paths relative to another directory: `\cd`. */
  set directory(path: string) {
    this.#directory = path
  }

  /** Starts a shell command with our streams, unless they are to be piped. */
  async spawn(
    command: string,
    { stdin = 'inherit', stdout = 'inherit' }: Partial<Record<'stdin' | 'stdout', Use>> = {},
  ): Promise<ChildProcess> {
    const { host } = this
    // What was written before stands before what the command writes.
    await new Promise<void>((done) => host.stdout.write('', () => done()))
    const given = (use: Use, { fd }: { readonly fd?: number }) =>
      use === 'pipe' ? 'pipe' : (fd ?? 'ignore')
    const child = spawn('/bin/sh', ['-c', command], {
      env: { ...this.env },
      cwd: this.#directory ?? host.fullPath('.'),
      stdio: [given(stdin, host.stdin), stdoutOf(host, stdout), host.stderr.fd ?? 'pipe'],
    })
    if (stdout === 'inherit') child.stdout?.pipe(host.stdout, { end: false })
    child.stderr?.pipe(host.stderr, { end: false })
    await once(child, 'spawn')
    return child
  }

  /** Runs a shell command to its end, on the terminal if there is one. Returns its exit status. */
  async runCommand(command: string): Promise<number> {
    this.terminal?.suspend()
    try {
      const child = await this.spawn(command)
      const [status] = (await once(child, 'close')) as [number | null]
      return status ?? 1
    } finally {
      this.terminal?.resume()
    }
  }

  /** Runs a shell command, and returns what it prints. */
  readonly outputOf = async (command: string): Promise<string> => {
    const child = await this.spawn(command, { stdout: 'pipe' })
    const ended = once(child, 'close')
    const printed = child.stdout === null ? '' : await text(child.stdout)
    await ended
    return printed
  }

  /** On Ctrl-C: cancels what runs. */
  interrupt(): void {
    this.interruption.abort()
    this.interruption = new AbortController()
    this.#connection
      ?.cancel()
      .catch((error: unknown) => this.host.complain((error as Error).message))
  }
}

/** Whether a program gets our stream, or a pipe. */
type Use = 'inherit' | 'pipe'

function stdoutOf({ stdout }: Host, use: Use): 'pipe' | number {
  return use === 'pipe' ? 'pipe' : (stdout.fd ?? 'pipe')
}
