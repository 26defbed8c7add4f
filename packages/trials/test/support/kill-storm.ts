import { backUpCluster, restoreCluster, cloneCluster } from '@howdah/backup'
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { Child, Random, type TemporaryDirectory, temporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess } from '@howdah/lock'
import { Cluster } from '@howdah/cluster'
import { diagnose, isWrong } from '@howdah/doctor'
import { Kept } from './kept.ts'
import {
  isLeft,
  newest,
  postmastersOf,
  processesBelow,
  type SharedMemory,
} from '@howdah/postgres-fixtures'
import { befall, end, isPossible, type Trouble, troubles } from './trouble.ts'

export const operations = [
  'create',
  'start',
  'stop',
  'backup',
  'restore',
  'clone',
  'destroy',
] as const
export type Operation = (typeof operations)[number]
const kills = ['client', 'server', 'both'] as const
export type Victim = (typeof kills)[number] | Trouble

/** Clusters, and what is done to them by processes that are killed on the way. */
export class KillStorm implements AsyncDisposable {
  readonly random: Random
  /** Who is killed, or what befalls them: all that is possible here. */
  readonly victims: readonly Victim[]
  readonly #home: TemporaryDirectory
  readonly #possible: readonly Trouble[]
  /** What is started, stopped and cloned. */
  readonly #life: Kept
  /** What is backed up. */
  readonly #archived: Kept
  /** What a restored cluster has at least: what was committed when the last backup ended. */
  #restorable: readonly number[] = []
  /** In ms: how long each took when nobody was killed. */
  readonly #lengths = new Map<Operation, number>()
  readonly #memory: SharedMemory[] = []

  private constructor(home: TemporaryDirectory, random: Random) {
    this.#home = home
    this.random = random
    this.#possible = troubles.filter((trouble) => isPossible(trouble, home.path))
    this.victims = [...kills, ...this.#possible]
    this.#life = new Kept(this.#cluster('life'))
    this.#archived = new Kept(this.#cluster('archived'))
  }

  static async over(from: number): Promise<KillStorm> {
    const storm = new KillStorm(temporaryDirectory(), new Random(from))
    for (const { cluster } of [storm.#life, storm.#archived]) {
      await using session = await cluster.run()
      assert.equal(await session.mode(), 'safe')
      const client = await session.connect()
      await client.query('CREATE TABLE kept (n int PRIMARY KEY)')
    }
    return storm
  }

  /** One operation, in which somebody is killed, or not; and then the same again. Whether there was somebody to kill. */
  async round(operation: Operation, victim: Victim | null): Promise<boolean> {
    const actions = {
      create: async () => await this.#create(victim),
      start: async () => await this.#start(victim),
      stop: async () => await this.#stop(victim),
      backup: async () => await this.#backup(victim),
      restore: async () => await this.#restore(victim),
      clone: async () => await this.#clone(victim),
      destroy: async () => await this.#destroy(victim),
    }
    return await actions[operation]()
  }

  /** Ends it all, and looks for what is left of it. */
  async end(): Promise<{
    wrong: string[]
    files: string[]
    processes: number[]
    memory: SharedMemory[]
  }> {
    const dataDirs = [this.#life, this.#archived].map(({ cluster }) => cluster.dataDir)
    const { strategy } = newest
    const findings = await diagnose({ dataDirs, scope: 'clusters', fix: true, strategy })
    const wrong = findings.filter(isWrong).map(({ what }) => what)
    for (const { cluster } of [this.#life, this.#archived]) {
      await cluster.stop()
      await cluster.destroy()
    }
    const processes = () => processesBelow(this.#home.path)
    // A watchdog goes a moment after what it has watched.
    await until('no process is left', () => processes().length === 0, 60_000).catch(() => undefined)
    const files = readdirSync(this.#home.path).filter((name) => name !== 'backups')
    return { wrong, files, processes: processes(), memory: this.#memory.filter(isLeft) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { cluster } of [this.#life, this.#archived]) {
      await cluster.stop({ force: true }).catch(() => undefined)
    }
    for (const trouble of this.#possible) end(trouble, this.#home.path)
    this.#home[Symbol.dispose]()
  }

  async #create(victim: Victim | null): Promise<boolean> {
    const cluster = this.#cluster('new')
    const killed = await this.#disturb('create', cluster, {}, victim)
    if (this.random.below(2) === 0) await cluster.create()
    await this.#works(cluster)
    await this.#isGone(cluster)
    return killed
  }

  async #start(victim: Victim | null): Promise<boolean> {
    const life = this.#life
    await life.cluster.stop()
    const killed = await this.#disturb('start', life.cluster, {}, victim)
    if (this.random.below(2) === 0) await life.cluster.start()
    await this.#keeps(life)
    return killed
  }

  async #stop(victim: Victim | null): Promise<boolean> {
    const life = this.#life
    await life.cluster.start()
    const writing = await life.writing()
    const killed = await this.#disturb('stop', life.cluster, {}, victim)
    await writing.stop()
    if (this.random.below(2) === 0) await life.cluster.stop()
    await this.#keeps(life)
    return killed
  }

  async #backup(victim: Victim | null): Promise<boolean> {
    const archived = this.#archived
    const writing = await this.#perhapsWriting(archived)
    const into = this.#home.file('backups')
    const killed = await this.#disturb('backup', archived.cluster, { into }, victim)
    await writing?.stop()
    const committed = [...archived.committed]
    const { startWalFile, number } = await backUpCluster(archived.cluster, { into })
    this.#restorable = committed
    await this.#keeps(archived)
    // Room for the next.
    for (const name of readdirSync(this.#home.file('backups', 'wal'))) {
      if (name < startWalFile) rmSync(this.#home.file('backups', 'wal', name))
    }
    for (const name of readdirSync(into)) {
      const old = Number(/^data\.(\d+)$/.exec(name)?.[1])
      if (old < number) rmSync(this.#home.file('backups', name), { recursive: true })
    }
    return killed
  }

  async #restore(victim: Victim | null): Promise<boolean> {
    const cluster = this.#cluster('restored')
    const from = this.#home.file('backups')
    const killed = await this.#disturb('restore', cluster, { from }, victim)
    if (!(await cluster.exists())) await restoreCluster(cluster, { from })
    await this.#works(cluster, this.#archived, this.#restorable)
    await this.#isGone(cluster)
    return killed
  }

  async #clone(victim: Victim | null): Promise<boolean> {
    const life = this.#life
    const writing = await this.#perhapsWriting(life)
    const committed = [...life.committed]
    const to = this.#home.file('copy')
    const killed = await this.#disturb('clone', life.cluster, { to }, victim)
    await writing?.stop()
    const copy = this.#cluster('copy')
    if (!(await copy.exists())) await cloneCluster(life.cluster, { to })
    await this.#works(copy, life, committed)
    await this.#keeps(life)
    await this.#isGone(copy)
    return killed
  }

  async #destroy(victim: Victim | null): Promise<boolean> {
    const life = this.#life
    const doomed = await cloneCluster(life.cluster, { to: this.#home.file('doomed') })
    if (this.random.below(2) === 0) await doomed.start()
    const killed = await this.#disturb('destroy', doomed, {}, victim)
    if (this.random.below(2) === 0) await this.#works(doomed)
    await this.#isGone(doomed)
    return killed
  }

  /** Runs one operation in a process of its own, and kills somebody at some instant of it. Whether it was in time. */
  async #disturb(
    operation: Operation,
    { dataDir }: Cluster,
    options: object,
    victim: Victim | null,
  ): Promise<boolean> {
    const request = { operation, dataDir, postgres: newest.place, options }
    await using child = new Child(operationScript, [JSON.stringify(request)])
    await child.line()
    const began = performance.now()
    if (victim === null) {
      assert.equal(await child.line(), 'done')
      this.#lengths.set(operation, performance.now() - began)
      return false
    }
    const instant = this.random.below(Math.ceil((this.#lengths.get(operation) ?? 0) * 1.1))
    const ended = child.ended.then(() => null)
    await Promise.race([ended, new Promise((done) => setTimeout(done, instant))])
    const isOver = child.process.exitCode !== null
    if (isTrouble(victim)) return await this.#trouble(victim, child)
    if (victim !== 'server') child.process.kill('SIGKILL')
    const servers = victim === 'client' ? [] : await this.#killServers()
    // One whose server was killed may fail, or be done all the same; but it ends.
    const status = await child.ended
    if (victim === 'server' && servers.length === 0) assert.equal(status, 'status 0')
    return victim === 'server' ? servers.length > 0 : !isOver
  }

  /** Lets something befall who does it, or the servers, for a while. Whether there was somebody. */
  async #trouble(trouble: Trouble, child: Child): Promise<boolean> {
    const servers = postmastersOf(this.#directories())
    const pids = servers.map(({ pid }) => pid)
    const scene = { home: this.#home.path, client: child.pid, servers: pids }
    const heal = befall(trouble, scene, this.random)
    const long = this.random.below(2000)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([child.ended, new Promise((done) => (timer = setTimeout(done, long)))])
    clearTimeout(timer)
    heal?.()
    // It may fail, or be done all the same; but it ends.
    const status = await child.ended
    if (heal === null) assert.equal(status, 'status 0')
    return heal !== null
  }

  #directories(): string[] {
    return readdirSync(this.#home.path).map((name) => this.#home.file(name))
  }

  /** Kills all that run, and waits until they are gone: nobody can help it that one is met that is just dying. */
  async #killServers(): Promise<number[]> {
    const servers = postmastersOf(this.#directories())
    for (const { pid, segment, files, hasFirstKey } of servers) {
      if (hasFirstKey) this.#memory.push({ segment, files })
      process.kill(pid, 'SIGKILL')
    }
    const pids = servers.map(({ pid }) => pid)
    await until('they are gone', () => pids.every((pid) => identifyProcess(pid) === null))
    return pids
  }

  /** Half of the time with a server that runs, and is written to; otherwise with none. */
  async #perhapsWriting(kept: Kept): Promise<{ stop(): Promise<void> } | null> {
    if (this.random.below(2) === 0) {
      await kept.cluster.start()
      return await kept.writing()
    }
    await kept.cluster.stop()
    return null
  }

  async #keeps(kept: Kept): Promise<void> {
    await this.#works(kept.cluster, kept, kept.committed)
  }

  /** It can be used, and has what was committed. */
  async #works(cluster: Cluster, kept?: Kept, committed: readonly number[] = []): Promise<void> {
    await using session = await cluster.run()
    assert((await session.databases()).includes('postgres'))
    if (kept !== undefined) assert.deepEqual(await kept.missingFrom(session, committed), [])
  }

  async #isGone(cluster: Cluster): Promise<void> {
    await cluster.destroy()
    assert(!existsSync(cluster.dataDir))
  }

  #cluster(name: string): Cluster {
    return new Cluster(this.#home.file(name), { strategy: newest.strategy })
  }
}

function isTrouble(victim: Victim): victim is Trouble {
  return troubles.some((trouble) => trouble === victim)
}

const operationScript = new URL('./operation.mjs', import.meta.url)
