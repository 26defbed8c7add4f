import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Launch, Paths, Outcome, Subject } from '@howdah/coordinate'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'

type Ability = 'create' | 'start' | 'stop' | 'destroy'

/**
 * A subject that can do, and be, what a test says: `FakeSubject.thatIs().alreadyRunning().butCannotStop()`.
 *
 * Its server is sleep(1). It keeps a list of what was asked of it.
 */
export class FakeSubject implements Subject<void>, AsyncDisposable {
  readonly asked: string[] = []
  readonly paths: Paths
  readonly #directory = temporaryDirectory()
  readonly #unable = new Set<Ability>()
  #server: ProcessIdentity | null = null

  constructor() {
    const file = (name: string): string => this.#directory.file(name)
    this.paths = {
      change: file('change'),
      use: file('subject/use'),
      watchdog: file('watchdog'),
      server: file('subject'),
      record: file('record'),
    }
  }

  static thatIs(): FakeSubject {
    return new FakeSubject()
  }

  alreadyExisting(): this {
    mkdirSync(this.#directory.file('subject'))
    writeFileSync(this.paths.use, '')
    writeFileSync(this.paths.watchdog, '')
    return this
  }

  /** By somebody else. */
  async alreadyRunning(): Promise<this> {
    if (!existsSync(this.paths.use)) this.alreadyExisting()
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
    await once(child, 'spawn')
    child.unref()
    this.#server = identifyProcess(child.pid ?? 0)
    return this
  }

  butCannot(...abilities: Ability[]): this {
    for (const ability of abilities) this.#unable.add(ability)
    return this
  }

  async create(): Promise<Outcome> {
    this.#ask('create')
    this.alreadyExisting()
    return 'modified'
  }

  async start(_options: void, launch: Launch): Promise<Outcome> {
    this.#ask('start')
    const child = await launch.spawn({
      command: 'sleep',
      args: ['600'],
      cwd: this.#directory.path,
      env: { PATH: process.env['PATH'] ?? '' },
      signal: 'SIGTERM',
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    this.#server = identifyProcess(child.pid ?? 0)
    return 'modified'
  }

  async stop(): Promise<Outcome> {
    this.#ask('stop')
    return this.#end()
  }

  async destroy(): Promise<Outcome> {
    this.#ask('destroy')
    await this.#end()
    rmSync(this.#directory.file('subject'), { recursive: true, force: true })
    return 'modified'
  }

  async exists(): Promise<boolean> {
    return existsSync(this.paths.use)
  }

  async running(): Promise<boolean> {
    return (await this.process()) !== null
  }

  async process(): Promise<ProcessIdentity | null> {
    if (this.#server === null) return null
    const now = identifyProcess(this.#server.pid)
    return now?.startTime === this.#server.startTime ? this.#server : null
  }

  /** Whether it exists and runs. */
  async state(): Promise<string> {
    if (!(await this.exists())) return 'missing'
    return (await this.running()) ? 'running' : 'stopped'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
    this.#directory[Symbol.dispose]()
  }

  #ask(ability: Ability): void {
    this.asked.push(ability)
    if (this.#unable.has(ability)) throw new Error(`cannot ${ability}`)
  }

  async #end(): Promise<Outcome> {
    const running = await this.process()
    if (running === null) return 'unmodified'
    process.kill(running.pid, 'SIGTERM')
    await until('the server is gone', async () => (await this.process()) === null)
    return 'modified'
  }
}
