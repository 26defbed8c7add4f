import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess, type ProcessIdentity, seeProcess } from '@howdah/lock'
import { DataDirectory } from '../../src/index.ts'

/** The lines of `postmaster.pid`; what is not given is as a ready server of the directory writes it. */
interface PidFileLines {
  readonly pid: number
  readonly dataDir?: string
  readonly startedAt?: Date
  readonly memory?: string
}

/** A process that counts as PostgreSQL's, and what ends it. */
export interface FakePostgres {
  readonly pid: number
  readonly identity: ProcessIdentity
  /** The signal that has ended it, once it has ended. */
  readonly ended: Promise<string>
}

/** A directory that looks like a cluster, and processes that look like PostgreSQL's: sleep(1) under another name. */
export class FakeDirectory implements AsyncDisposable {
  readonly directory: DataDirectory
  readonly #temporary = temporaryDirectory()
  readonly #children: ChildProcess[] = []

  constructor(version = '18') {
    this.directory = new DataDirectory(this.#temporary.file('data'))
    mkdirSync(this.directory.path)
    mkdirSync(this.directory.file('base'))
    mkdirSync(this.directory.file('global'))
    mkdirSync(this.beside('bin'))
    writeFileSync(this.directory.versionFile, `${version}\n`)
  }

  /** A path beside the directory. */
  beside(name: string): string {
    return this.#temporary.file(name)
  }

  /** The names of the files in the directory that a server leaves. */
  get left(): string[] {
    return readdirSync(this.directory.path).filter((name) => /pid$|^\.s\./.test(name))
  }

  writePidFile({
    pid,
    dataDir = this.directory.path,
    startedAt = new Date(),
    memory,
  }: PidFileLines): void {
    const start = Math.floor(startedAt.getTime() / 1000)
    const lines = [pid, dataDir, start, 5432, dataDir, 'localhost', memory ?? '', 'ready   ']
    writeFileSync(this.directory.pidFile, `${lines.join('\n')}\n`)
  }

  /** Has howdah's record name a process, with some fields changed. */
  writeRecord(
    { pid, startTime, bootId, pidNamespace }: ProcessIdentity,
    changes: Record<string, string> = {},
  ): void {
    const { dev, ino } = statSync(this.directory.path)
    const fields = {
      pid,
      start: startTime,
      boot: bootId,
      namespace: pidNamespace,
      of: `${dev}:${ino}`,
      signal: 'SIGINT',
      cwd: 'here',
      ...changes,
    }
    const known = Object.entries(fields).filter(([, value]) => value !== null)
    const lines = known.map(([key, value]) => `${key} ${value}\n`)
    writeFileSync(this.directory.record, lines.join(''))
  }

  /** A process of PostgreSQL that works in the directory, or in another one. */
  async postgres({
    title = 'postgres',
    cwd = this.directory.path,
    program = 'postgres',
  } = {}): Promise<FakePostgres> {
    return await this.#start(this.#program('/bin/sleep', program), ['600'], { title, cwd })
  }

  /** A child of a server that takes no notice of being told to quit. */
  async deafOrphan(): Promise<FakePostgres> {
    const told = this.beside('deaf')
    const script = `trap '' QUIT; : >'${told}'; read -r word`
    const options = { title: 'postgres: deaf', cwd: this.directory.path }
    const child = await this.#start(this.#program('/bin/sh', 'postgres'), ['-c', script], options)
    await until('it is deaf', () => existsSync(told))
    return child
  }

  /** A server that has forked just now: its child still has its title. */
  async forkingPostgres(): Promise<FakePostgres> {
    const forked = this.beside('forked')
    const script = `exec 3<&0; ( : >'${forked}'; read -r word <&3 ) & wait`
    const cwd = this.directory.path
    const server = await this.#start(this.#program('/bin/sh', 'postgres'), ['-c', script], { cwd })
    await until('it has forked', () => existsSync(forked))
    return server
  }

  #program(original: string, name: string): string {
    const directory = this.beside(`bin/${this.#children.length}`)
    mkdirSync(directory)
    const path = `${directory}/${name}`
    copyFileSync(original, path)
    return path
  }

  async #start(
    program: string,
    args: string[],
    { title = program, cwd }: { title?: string; cwd: string },
  ): Promise<FakePostgres> {
    const child = spawn(program, args, {
      cwd,
      argv0: title,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#children.push(child)
    const exit = once(child, 'exit')
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    await until('it runs', () => titleOf(pid).startsWith(title))
    const identity = identifyProcess(pid)
    if (identity === null) throw new Error('it has ended')
    return { pid, identity, ended: exit.then(([, signal]) => String(signal)) }
  }

  /** How many of the processes run. */
  get running(): number {
    return this.#children.filter(isRunning).length
  }

  /** Gives the directory to another user. */
  giveTo(uid: number): void {
    chownSync(this.directory.path, uid, uid)
  }

  /** Removes the directory. */
  remove(): void {
    rmSync(this.directory.path, { recursive: true })
  }

  /** A link to the directory. */
  link(name: string): string {
    symlinkSync(this.directory.path, this.beside(name))
    return this.beside(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (!isRunning(child)) continue
      const exit = once(child, 'exit')
      // With what it has forked.
      process.kill(-child.pid!, 'SIGKILL')
      await exit
    }
    this.#temporary[Symbol.dispose]()
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

/** The pid of a process that has ended. */
export async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

/** What a process says of itself; nothing if that is not told. */
function titleOf(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  const seen = seeProcess(pid)
  return typeof seen === 'object' ? (seen?.command ?? '') : ''
}
