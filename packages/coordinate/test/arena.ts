import { existsSync, readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import type { Paths, Subject } from '@howdah/coordinate'
import { inPidNamespace, temporaryDirectory, until } from '@howdah/fixtures'
import { seeProcesses } from '@howdah/lock'
import { type ServerOptions, pathsOf, subjectIn } from './server/directory-subject.mjs'
import { UserProcess } from './user-process.ts'

/** A process that has to do with an arena's subject. */
export interface Involved {
  readonly pid: number
  readonly role: 'server' | 'watchdog' | 'user' | 'other'
}

/** A subject of a test's own, its users, and a look at who is left. */
export class Arena implements AsyncDisposable {
  readonly directory: string
  readonly paths: Paths
  readonly subject: Subject<ServerOptions>
  readonly #temporary = temporaryDirectory()
  readonly #users: UserProcess[] = []
  readonly #inodes = new Set<string>()
  /** The processes that ran before, which have nothing to do with it. */
  readonly #older = new Set(process.platform === 'linux' ? readdirSync('/proc') : [])
  readonly #changes: Partial<Paths>

  constructor(changes: Partial<Paths> = {}) {
    this.directory = this.#temporary.file('subject')
    this.#changes = changes
    this.paths = pathsOf(this.directory, changes)
    this.subject = subjectIn(this.directory)
  }

  /** A path beside the subject. */
  beside(name: string): string {
    return this.#temporary.file(name)
  }

  /** A new user of the subject; it has not joined yet. */
  user(options: object = {}): UserProcess {
    return this.#add(new UserProcess(this.directory, { paths: this.#changes, ...options }))
  }

  /** A new user in a container of its own, run by `first` if that is given. Killing it ends all that runs in there. */
  containedUser(options: object = {}, first: string[] = []): UserProcess {
    const all = { paths: this.#changes, ...options }
    const within = (command: string[]) => inPidNamespace([...first, ...command])
    return this.#add(new UserProcess(this.directory, all, within))
  }

  #add(user: UserProcess): UserProcess {
    this.#users.push(user)
    return user
  }

  /** What the servers of this subject wrote about themselves, a `[what, pid]` each. */
  events(): [string, number][] {
    const path = `${this.directory}.events`
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const [what = '', pid] = line.split(' ')
        return [what, Number(pid)]
      })
  }

  /** How often a server wrote that of itself. */
  count(what: string): number {
    return this.events().filter(([event]) => event === what).length
  }

  /** Every living process that works in the directory or was told its path. */
  involved(): Involved[] {
    const processes = process.platform === 'linux' ? this.#processes() : this.#seenProcesses()
    return processes.flatMap(({ pid, command, inside }) => {
      const isTold =
        command.includes(`${this.directory} `) || command.includes(`${this.directory}/`)
      return pid === process.pid || !(inside || isTold) ? [] : [{ pid, role: roleOf(command) }]
    })
  }

  pid(role: Involved['role']): number {
    const found = this.involved().find((one) => one.role === role)
    if (found === undefined) throw new Error(`there is no ${role}`)
    return found.pid
  }

  has(role: Involved['role']): boolean {
    return this.involved().some((one) => one.role === role)
  }

  /** Kills the server, and waits until it is really gone. */
  async killServer(): Promise<void> {
    process.kill(this.pid('server'), 'SIGKILL')
    await until('the server is dead', async () => (await this.subject.process()) === null)
  }

  /** Waits until neither server, watchdog nor user is left. */
  async deserted(): Promise<void> {
    await until('nobody is left', () => this.involved().length === 0, 20_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const user of this.#users) user.child.kill('SIGKILL')
    await Promise.all(this.#users.map((user) => user.ended))
    for (const { pid } of this.involved()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone by itself.
      }
    }
    await this.deserted()
    this.#temporary[Symbol.dispose]()
  }

  /** From `/proc`; a directory that was removed or moved is known by its path. */
  #processes(): Process[] {
    const running = readdirSync('/proc')
    const known = new Set(running)
    // The pid of one that has ended may be another's later.
    for (const name of this.#older) if (!known.has(name)) this.#older.delete(name)
    return running
      .filter((name) => !this.#older.has(name))
      .map(Number)
      .filter((pid) => pid > 0)
      .flatMap((pid) => {
        try {
          const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')
          if (state.startsWith('Z')) return []
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
          const inside = readlinkSync(`/proc/${pid}/cwd`).startsWith(this.directory)
          return [{ pid, command, inside }]
        } catch {
          return [] // It has ended.
        }
      })
  }

  /** Without `/proc`. A directory is known by its inode, which is remembered, for it may be removed or moved. */
  #seenProcesses(): Process[] {
    const stats = statSync(this.directory, { bigint: true, throwIfNoEntry: false })
    if (stats !== undefined) this.#inodes.add(`${stats.dev}:${stats.ino}`)
    const seen = seeProcesses()
    if (seen === 'unknown') throw new Error('the system does not tell which processes there are')
    return seen
      .filter(({ isZombie }) => !isZombie)
      .map(({ pid, command, directory }) => ({
        pid,
        command: `${command ?? ''} `,
        inside: directory !== null && this.#inodes.has(directory),
      }))
  }
}

/** A process, its command line with a blank after each argument, and whether it works in the arena's directory. */
interface Process {
  readonly pid: number
  readonly command: string
  readonly inside: boolean
}

function roleOf(command: string): Involved['role'] {
  if (command.includes('server.mjs')) return 'server'
  if (command.includes('user.mjs')) return 'user'
  return /(howdah|node)-watchdog/.test(command) ? 'watchdog' : 'other'
}
